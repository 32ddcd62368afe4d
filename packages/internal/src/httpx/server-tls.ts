// The props of a server that name its own certificate, and what is to be checked of TLS in a server with its webapps.

import type { CheckContext } from "../component/definition.ts";
import { prop } from "../component/prop.ts";
import type { PropsOf } from "../component/props/prop-type.ts";
import { checkCertificatePair, checkTls, type TlsSettings } from "../front/tls/tls-props.ts";
import type { WebappTlsProps } from "../web/dispatch/webapp-tls.ts";

export const serverCertificateProps = {
  /**
   * The certificate for webapps that have none of their own, and for clients that name no server or an unknown one
   * (unset: for those, that of the default webapp, else of the first that has one). As `tlsCert` of a webapp.
   */
  tlsCert: prop.paths({ min: 1, reload: "live" }),
  /** The key of `tlsCert`, or the keys. As `tlsKey` of a webapp. */
  tlsKey: prop.paths({ min: 1, reload: "live" }),
  /** Opens encrypted keys of `tlsKey`. */
  tlsPassphrase: prop.string({ reload: "live" }),
};

/** Those of them whose change needs files to be read. */
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
