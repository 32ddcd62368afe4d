// A server that `hemi rpc` calls: by gRPC over HTTP/2 for http: and https:, by hrpc for hrpc: and hrpcs:.

import type { Transport } from "@hemi/common/rpc";
import { bootText, grpcTransport, HemiError, hrpcTransport, MemorySink, openErrorLog, webBackend } from "@hemi/hemi";

/** A way to it. */
export interface RemoteServer extends AsyncDisposable {
  readonly transport: Transport;
}

/** Throws HEMI_USAGE for a URL of another kind. Connects when it is called first. */
export async function remoteServer(url: string): Promise<RemoteServer> {
  if (/^hrpcs?:/.test(url)) {
    const transport = hrpcTransport(url);
    return { transport, [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose]() };
  }
  const { protocol, hostname, port, host } = parsed(url);
  const isSecure = protocol === "https:";
  const address = `${hostname}:${port === "" ? (isSecure ? 443 : 80) : port}`;
  const log = openErrorLog({ sink: new MemorySink() });
  const stage = await bootText(
    `stage { http2Backend "server" { .nodes = (["address": "${address}"]) .tlsMode = ${isSecure} } }`,
    { log },
  );
  await stage.start();
  const [backend] = stage.offering(webBackend);
  if (backend === undefined) throw new HemiError("HEMI_USAGE", "there is no backend");
  const scheme = isSecure ? "https" : "http";
  return {
    transport: grpcTransport(() => backend.part, { authority: host, scheme }),
    [Symbol.asyncDispose]: () => stage.quit(0),
  };
}

function parsed(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && (url.protocol === "http:" || url.protocol === "https:")) return url;
  throw new HemiError(
    "HEMI_USAGE",
    `a server is http://host:port or https://host (gRPC), hrpc://host:port or hrpcs://host (hrpc), not ${text}`,
  );
}
