// TLS to the nodes of a backend: its props, their check, and the options of node:tls that follow from them.

import type { ConnectionOptions } from "node:tls";
import type { CheckContext } from "../component/definition.ts";
import { prop } from "../component/prop.ts";
import type { PropsOf } from "../component/props/prop-type.ts";
import { readAuthoritiesSync, readPairSync } from "../front/tls/pem.ts";

/** Spread this into the props of a backend. */
export const nodeTlsProps = {
  /** Connections to nodes are by TLS. */
  tlsMode: prop.bool({ default: false, reload: "live" }),
  /** Whom TLS asks for (SNI), and whose certificate it must be. Default: the host of the node's address. */
  tlsServerName: prop.string({ minLength: 1, reload: "live" }),
  /** Certificates, in PEM, of those who may vouch for nodes, instead of the ones that Node.js knows. */
  tlsCA: prop.path({ reload: "live" }),
  /** Our own certificate, in PEM, with those between it and its root, for nodes that ask who we are. Needs `tlsKey`. */
  tlsCert: prop.path({ reload: "live" }),
  /** The private key of `tlsCert`, in PEM, without a passphrase. */
  tlsKey: prop.path({ reload: "live" }),
  /** False takes any certificate: whoever stands on the way can read and change all. For tests. */
  tlsVerify: prop.bool({ default: true, reload: "live" }),
};

export const nodeTlsPropNames: readonly string[] = Object.keys(nodeTlsProps);

/** The values of `nodeTlsProps`. */
export type NodeTlsSettings = PropsOf<typeof nodeTlsProps>;

/** Reports a certificate without a key, and settings of TLS where it is off. */
export function checkNodeTls(context: CheckContext<NodeTlsSettings>): void {
  const { props } = context;
  if ((props.tlsCert === undefined) !== (props.tlsKey === undefined)) {
    const prop = props.tlsKey === undefined ? "tlsCert" : "tlsKey";
    context.report({ prop, message: "a certificate and its key go together: set .tlsCert and .tlsKey" });
  }
  for (const prop of ["tlsServerName", "tlsCA", "tlsCert", "tlsKey", "tlsVerify"] as const) {
    if (!props.tlsMode && context.isSet(prop))
      context.report({ prop, message: "it says something of TLS only", hint: "set .tlsMode = true" });
  }
}

/**
 * Reads the files; `undefined` without `tlsMode`. Throws HEMI_FILE for one that cannot be read, and HEMI_CERTIFICATE
 * for one that cannot be used. `alpn`: the names that ALPN proposes, if any.
 */
export function nodeTlsOptions(props: NodeTlsSettings, alpn: readonly string[]): ConnectionOptions | undefined {
  if (!props.tlsMode) return undefined;
  const { tlsCA, tlsCert, tlsKey } = props;
  return {
    ...(alpn.length > 0 && { ALPNProtocols: [...alpn] }),
    rejectUnauthorized: props.tlsVerify,
    ...(props.tlsServerName !== undefined && { servername: props.tlsServerName }),
    ...(tlsCA !== undefined && { ca: readAuthoritiesSync("tlsCA", tlsCA) }),
    ...(tlsCert !== undefined && tlsKey !== undefined && readPairSync(tlsCert, tlsKey)),
  };
}

/** The TLS of a backend to its nodes: its files are read when it is prepared, and when a reload changes its props. */
export class NodeTls {
  readonly #props: NodeTlsSettings;
  readonly #alpn: readonly string[];
  #options: ConnectionOptions | undefined;

  /** `alpn`: the names that ALPN proposes, if any. */
  constructor(props: NodeTlsSettings, alpn: readonly string[]) {
    this.#props = props;
    this.#alpn = alpn;
  }

  /** `undefined` before `load`, and without `tlsMode`. */
  get options(): ConnectionOptions | undefined {
    return this.#options;
  }

  /** Throws as `nodeTlsOptions` does. */
  examine(): void {
    nodeTlsOptions(this.#props, this.#alpn);
  }

  /** Throws as `nodeTlsOptions` does. */
  load(): void {
    this.#options = nodeTlsOptions(this.#props, this.#alpn);
  }

  /** For `revise` of a part. Throws as `nodeTlsOptions` does. */
  revise(next: NodeTlsSettings, changed: ReadonlySet<string>): () => void {
    if (!nodeTlsPropNames.some((name) => changed.has(name))) return () => undefined;
    let other = nodeTlsOptions(next, this.#alpn);
    return () => ([this.#options, other] = [other, this.#options]);
  }
}
