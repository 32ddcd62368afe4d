// The props for a server's own certificate, and the TLS checks of a server with its webapps.

import type { CheckContext } from "../component/definition.ts";
import { prop } from "../component/prop.ts";
import type { PropsOf } from "../component/props/prop-type.ts";
import { checkCertificatePair, checkTls, type TlsSettings } from "../front/tls/tls-props.ts";
import type { WebappTlsProps } from "../web/dispatch/webapp-tls.ts";

export const serverCertificateProps = {
  /**
   * The certificate for webapps without their own, and for clients that send no server name or an unknown one. Unset:
   * such clients get the certificate of the default webapp, otherwise of the first webapp that has one. In the form of
   * `tlsCert` of a webapp.
   */
  tlsCert: prop.paths({ min: 1, reload: "live" }),
  /** The key or keys of `tlsCert`. In the form of `tlsKey` of a webapp. */
  tlsKey: prop.paths({ min: 1, reload: "live" }),
  /** The passphrase of encrypted keys in `tlsKey`. */
  tlsPassphrase: prop.string({ reload: "live" }),
};

/** The props that require files to be read when they change. */
export const serverCertificatePropNames: readonly string[] = Object.keys(serverCertificateProps);

/** `webapps` are those that the server refers to. */
export function checkServerTls(
  context: CheckContext<PropsOf<typeof serverCertificateProps> & TlsSettings>,
  webapps: readonly CheckContext<WebappTlsProps>[],
): void {
  checkCertificatePair(context);
  checkTls(context);
  const { tlsMode, tlsCert } = context.props;
  if (tlsMode) {
    if (tlsCert !== undefined || webapps.some(({ props }) => props.tlsCert !== undefined)) return;
    const message = "there is no certificate: none of its webapps has a .tlsCert, nor has the server itself";
    return context.report({ prop: "tlsMode", message });
  }
  if (context.isSet("tlsCert")) {
    context.report({ prop: "tlsCert", message: ".tlsCert needs .tlsMode = true: this serves plain HTTP" });
  }
  for (const webapp of webapps) {
    if (webapp.props.tlsClientCert !== "required") continue;
    const message = `${context.path} serves it by plain HTTP, where clients show no certificate`;
    const hint = "give what is to be served there a webapp of its own";
    webapp.report({ prop: "tlsClientCert", message, hint });
  }
}
