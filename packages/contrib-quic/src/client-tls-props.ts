// The props of an outgate that are about TLS: whom it trusts, and who it is.

import { HemiError, nodeTlsOptions, nodeTlsProps, PropError, type CheckContext, type PropsOf } from "@hemi/internal";
import { ClientConfigs, type ClientTls } from "./quic/client-configs.ts";
import { nativeQuic } from "./quic/native.ts";

const { tlsCA, tlsCert, tlsKey, tlsVerify } = nodeTlsProps;

export const clientTlsProps = {
  /** Certificates, in PEM, of those who may vouch for servers, instead of the ones that Node.js knows. */
  tlsCA,
  /** Our own certificate, in PEM, with those between it and its root, for servers that ask for one. Needs `tlsKey`. */
  tlsCert,
  /** The private key of `tlsCert`, in PEM, without a passphrase. */
  tlsKey,
  /** False takes any certificate: whoever stands on the way can read and change all. For tests. */
  tlsVerify,
};

type ClientTlsSettings = PropsOf<typeof clientTlsProps>;

/** Reports a certificate without its key, and a key without its certificate. */
export function checkClientTls({ props, report }: CheckContext<ClientTlsSettings>): void {
  const { tlsCert, tlsKey } = props;
  if ((tlsCert === undefined) === (tlsKey === undefined)) return;
  const prop = tlsKey === undefined ? "tlsCert" : "tlsKey";
  report({ prop, message: "a certificate and its key go together: set .tlsCert and .tlsKey" });
}

/** Reads the files. Throws HEMI_FILE or HEMI_CERTIFICATE, and blames the prop, for one that cannot be used. */
export function readClientTls(props: ClientTlsSettings): ClientTls {
  const tls = nodeTlsOptions({ ...props, tlsMode: true, tlsServerName: undefined }, []) ?? {};
  const { ca, cert, key } = tls;
  // The library may refuse what node:tls can use. It is not loaded for nothing: each stage has the outgates.
  if (props.tlsCA !== undefined) tryOut("tlsCA", props.tlsCA, { ca });
  if (props.tlsCert !== undefined) tryOut("tlsCert", props.tlsCert, { cert, key, rejectUnauthorized: false });
  return tls;
}

function tryOut(prop: "tlsCA" | "tlsCert", file: string, tls: ClientTls): void {
  try {
    new ClientConfigs(nativeQuic).tryOut(tls);
  } catch (cause) {
    if (!(cause instanceof HemiError) || cause.code !== "HEMI_CERTIFICATE") throw cause;
    throw new PropError(prop, cause.code, `${file}: ${cause.message}`, { cause });
  }
}
