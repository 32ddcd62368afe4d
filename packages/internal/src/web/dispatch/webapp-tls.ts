// The TLS props of a webapp: its certificate, and its requirements on client certificates.

import type { CheckContext } from "../../component/definition.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { checkClientCert } from "../../front/tls/client-cert-props.ts";
import { checkCertificatePair } from "../../front/tls/tls-props.ts";

export const webappTlsProps = {
  /**
   * The certificate for clients that request one of the hostnames: a PEM file with the certificate first, then the
   * chain to an authority. Several certificates, such as RSA and ECDSA, are a list. Required unless `tlsCert` of the
   * server is set.
   */
  tlsCert: prop.paths({ min: 1, inherited: true, reload: "live" }),
  /**
   * The private key of `tlsCert`, in PEM; for several certificates, the keys in the same order. Default: the key is in
   * the certificate file.
   */
  tlsKey: prop.paths({ min: 1, inherited: true, reload: "live" }),
  /** The passphrase of encrypted keys in `tlsKey`. Take it from the environment with `%env(NAME)`. */
  tlsPassphrase: prop.string({ inherited: true, reload: "live" }),
  /**
   * Whether clients are asked for a certificate. With `optional`, rules can test `$tlsClientVerified`. With `required`,
   * a connection needs a certificate that leads to `tlsClientCA`. A request on a connection whose handshake had other
   * requirements gets 421.
   */
  tlsClientCert: prop.choice(["none", "optional", "required"], { default: "none", inherited: true, reload: "live" }),
  /** The authorities for client certificates: PEM files. Required if `tlsClientCert` is `optional` or `required`. */
  tlsClientCA: prop.paths({ min: 1, inherited: true, reload: "live" }),
};

/** The props that require files to be read when they change. */
export const webappTlsPropNames: readonly string[] = Object.keys(webappTlsProps);

export type WebappTlsProps = PropsOf<typeof webappTlsProps>;

export function checkWebappTls(context: CheckContext<WebappTlsProps>): void {
  checkCertificatePair(context);
  checkClientCert(context);
}
