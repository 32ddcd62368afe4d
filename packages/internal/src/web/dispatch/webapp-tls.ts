// The props of a webapp that are about TLS: its certificate, and those that it wants of clients.

import type { CheckContext } from "../../component/definition.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { checkCertificatePair } from "../../front/tls/tls-props.ts";

export const webappTlsProps = {
  /**
   * The certificate that clients are shown who ask for one of the hostnames: a file in PEM, the certificate first, then
   * those that lead from it to an authority. Several, such as one for RSA and one for ECDSA, are a list. Needed where
   * no `tlsCert` of the server stands in for it.
   */
  tlsCert: prop.paths({ min: 1, inherited: true, reload: "live" }),
  /**
   * The private key of `tlsCert`, in PEM; of several the keys in the same order. Default: it stands in the file of the
   * certificate.
   */
  tlsKey: prop.paths({ min: 1, inherited: true, reload: "live" }),
  /** Opens encrypted keys of `tlsKey`: best from the environment, by `%env(NAME)`. */
  tlsPassphrase: prop.string({ inherited: true, reload: "live" }),
  /**
   * Whether clients are asked for a certificate: `optional`, and rules look at `$tlsClientVerified`; or `required`, and
   * there is no connection without one that leads to `tlsClientCA`. A request that comes by a handshake which asked for
   * something else gets 421.
   */
  tlsClientCert: prop.choice(["none", "optional", "required"], { default: "none", inherited: true, reload: "live" }),
  /**
   * The authorities that certificates of clients have to come from: files in PEM. Needed for a `tlsClientCert` that
   * asks for one.
   */
  tlsClientCA: prop.paths({ min: 1, inherited: true, reload: "live" }),
};

/** Those of them whose change needs files to be read. */
export const webappTlsPropNames: readonly string[] = Object.keys(webappTlsProps);

export type WebappTlsProps = PropsOf<typeof webappTlsProps>;

export function checkWebappTls(context: CheckContext<WebappTlsProps>): void {
  checkCertificatePair(context);
  const { tlsClientCert, tlsClientCA } = context.props;
  if (tlsClientCert !== "none" && tlsClientCA === undefined) {
    const message = `.tlsClientCert = "${tlsClientCert}" needs .tlsClientCA: who vouches for clients?`;
    context.report({ prop: "tlsClientCert", message });
  }
}
