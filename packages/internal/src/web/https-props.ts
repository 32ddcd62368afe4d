// The props of TLS: those of the server, and those of the webapps that it serves.

import type { CheckContext } from "../component/definition.ts";
import { prop } from "../component/prop.ts";
import type { PropsOf } from "../component/props/prop-type.ts";
import type { CertificateFiles } from "../front/tls/certificate.ts";
import { flawOfCiphers } from "../front/tls/ciphers.ts";
import { clientTerms } from "../front/tls/client-terms.ts";
import type { WebappTls } from "./kinds.ts";

export const httpsServerProps = {
  /** Serves by HTTPS, and by nothing else, on this address. Its webapps, or `tlsCert` here, say with which certificates. */
  tlsMode: prop.bool({ default: false }),
  /**
   * The certificate for webapps that have none of their own, and for clients that name no server or an unknown one (unset: for those, that
   * of the default webapp, else of the first that has one). As `tlsCert` of a webapp.
   */
  tlsCert: prop.paths({ min: 1 }),
  /** The key of `tlsCert`, or the keys. As `tlsKey` of a webapp. */
  tlsKey: prop.paths({ min: 1 }),
  /** Opens encrypted keys of `tlsKey`. */
  tlsPassphrase: prop.string(),
  /** Refuses clients that name no server (SNI) or one that no webapp here has, by the alert `unrecognized_name`. Default: they are shown the default certificate. */
  tlsStrictServerName: prop.bool({ default: false }),
  /** The oldest version of TLS that is spoken. Those before 1.2 are broken. */
  tlsMinVersion: prop.choice(["TLSv1.2", "TLSv1.3"], { default: "TLSv1.2", inherited: true }),
  /** The ciphers of TLS 1.2 and 1.3, by OpenSSL's names, with `:` between them. By default those that keep earlier sessions secret when a key is lost. */
  tlsCiphers: prop.string({
    default:
      "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:" +
      "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" +
      "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305",
    minLength: 1,
    inherited: true,
  }),
  /** So long after its handshake a client may go on with its session on another connection, which spares both a full handshake. */
  tlsSessionTimeout: prop.duration({ default: "5m", min: "1s", max: "7d", inherited: true }),
  /** Session tickets are sealed with a key that is replaced when it is older than this; those of the key before then mean a full handshake. */
  tlsTicketKeyLifetime: prop.duration({ default: "12h", min: "1m", max: "7d", inherited: true, reload: "live" }),
  /** How often is looked whether files of certificates, keys or authorities have changed; if so, handshakes from then on use what is in them now. */
  tlsReloadInterval: prop.duration({ default: "1m", min: "100ms", inherited: true, reload: "live" }),
  /** From the acceptance of a connection to the end of its TLS handshake; then it is closed. */
  handshakeTimeout: prop.duration({ default: "15s", min: "1ms", max: "2m", inherited: true, reload: "live" }),
};

export const httpsWebappProps = {
  /**
   * The certificate that clients are shown who ask for one of the hostnames: a file in PEM, the certificate first, then those that lead from it
   * to an authority. Several, such as one for RSA and one for ECDSA, are a list. Needed where no `tlsCert` of the server stands in for it.
   */
  tlsCert: prop.paths({ min: 1, inherited: true }),
  /** The private key of `tlsCert`, in PEM; of several the keys in the same order. Default: it stands in the file of the certificate. */
  tlsKey: prop.paths({ min: 1, inherited: true }),
  /** Opens encrypted keys of `tlsKey`: best from the environment, by `%env(NAME)`. */
  tlsPassphrase: prop.string({ inherited: true }),
  /**
   * Whether clients are asked for a certificate: `optional`, and rules look at `$tlsClientVerified`; or `required`, and there is no connection without one
   * that leads to `tlsClientCA`. A request that comes by a handshake which asked for something else gets 421.
   */
  tlsClientCert: prop.choice(["none", "optional", "required"], { default: "none", inherited: true }),
  /** The authorities that certificates of clients have to come from: files in PEM. Needed for a `tlsClientCert` that asks for one. */
  tlsClientCA: prop.paths({ min: 1, inherited: true }),
};

export type HttpsServerProps = PropsOf<typeof httpsServerProps>;
export type HttpsWebappProps = PropsOf<typeof httpsWebappProps>;

/** What the props of a webapp say. */
export function webappTls({ tlsClientCert, tlsClientCA, ...props }: HttpsWebappProps): WebappTls {
  return { files: certificateFiles(props), terms: clientTerms(tlsClientCert, tlsClientCA ?? []) };
}

/** Certificates as a webapp or the server names them; `undefined`: it has none of its own. */
export function certificateFiles({
  tlsCert,
  tlsKey,
  tlsPassphrase,
}: Pick<HttpsWebappProps, "tlsCert" | "tlsKey" | "tlsPassphrase">): CertificateFiles | undefined {
  return tlsCert && { certs: tlsCert, keys: tlsKey ?? tlsCert, passphrase: tlsPassphrase };
}

export function checkWebappTls(context: CheckContext<HttpsWebappProps>): void {
  checkPair(context);
  const { tlsClientCert, tlsClientCA } = context.props;
  if (tlsClientCert !== "none" && tlsClientCA === undefined) {
    const message = `.tlsClientCert = "${tlsClientCert}" needs .tlsClientCA: who vouches for clients?`;
    context.report({ prop: "tlsClientCert", message });
  }
}

/** `webapps` are those that the server refers to. */
export function checkServerTls(
  context: CheckContext<HttpsServerProps>,
  webapps: readonly CheckContext<HttpsWebappProps>[],
): void {
  checkPair(context);
  const { tlsMode, tlsCert, tlsCiphers } = context.props;
  if (tlsMode) {
    const flaw = flawOfCiphers(tlsCiphers);
    if (flaw !== undefined) context.report({ prop: "tlsCiphers", message: `.tlsCiphers cannot be used: ${flaw}` });
    if (tlsCert !== undefined || webapps.some(({ props }) => props.tlsCert !== undefined)) return;
    const message = "there is no certificate: none of its webapps has a .tlsCert, nor has the server itself";
    return context.report({ prop: "tlsMode", message });
  }
  for (const prop of ["tlsCert", "tlsStrictServerName"] as const) {
    if (context.isSet(prop))
      context.report({ prop, message: `.${prop} needs .tlsMode = true: this serves plain HTTP` });
  }
  for (const webapp of webapps) {
    if (webapp.props.tlsClientCert !== "required") continue;
    const message = `${context.path} serves it by plain HTTP, where clients show no certificate`;
    const hint = "give what is to be served there a webapp of its own";
    webapp.report({ prop: "tlsClientCert", message, hint });
  }
}

function checkPair(context: CheckContext<Pick<HttpsWebappProps, "tlsCert" | "tlsKey">>): void {
  const { tlsCert, tlsKey } = context.props;
  if (tlsKey === undefined) return;
  if (tlsCert === undefined) context.report({ prop: "tlsKey", message: ".tlsKey needs .tlsCert, whose key it is" });
  else if (tlsCert.length !== tlsKey.length) {
    const message = `.tlsCert has ${tlsCert.length} files and .tlsKey ${tlsKey.length}: each certificate has a key of its own`;
    context.report({ prop: "tlsKey", message });
  }
}
