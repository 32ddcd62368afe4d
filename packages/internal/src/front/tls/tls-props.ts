// The props of whoever makes TLS handshakes with clients.

import type { CheckContext } from "../../component/definition.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { flawOfCiphers, flawOfCurves } from "./ciphers.ts";
import type { NamedFiles } from "./site-files.ts";

export const tlsProps = {
  /** Speaks TLS, and nothing else, on this address. */
  tlsMode: prop.bool({ default: false }),
  /**
   * Refuses clients that name no server (SNI) or an unknown one, by the alert `unrecognized_name`. Default: they are
   * shown the default certificate.
   */
  tlsStrictServerName: prop.bool({ default: false, reload: "live" }),
  /** The oldest version of TLS that is spoken. Those before 1.2 are broken. */
  tlsMinVersion: prop.choice(["TLSv1.2", "TLSv1.3"], { default: "TLSv1.2", inherited: true, reload: "live" }),
  /**
   * The ciphers of TLS 1.2 and 1.3, by OpenSSL's names, with `:` between them. By default those that keep earlier
   * sessions secret when a key is lost.
   */
  tlsCiphers: prop.string({
    default:
      "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:" +
      "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" +
      "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305",
    minLength: 1,
    inherited: true,
    reload: "live",
  }),
  /**
   * The groups for the exchange of keys, by OpenSSL's names, the favourite first, with `:` between them, such as `X25519:P-256`. `auto`: those of OpenSSL.
   */
  tlsCurves: prop.string({ default: "auto", minLength: 1, inherited: true, reload: "live" }),
  /**
   * So long after its handshake a client may go on with its session on another connection, which spares both a full
   * handshake.
   */
  tlsSessionTimeout: prop.duration({ default: "5m", min: "1s", max: "7d", inherited: true, reload: "live" }),
  /**
   * Session tickets are sealed with a key that is replaced when it is older than this; those of the key before then
   * mean a full handshake. All servers of a process share the key: the shortest lifetime counts.
   */
  tlsTicketKeyLifetime: prop.duration({ default: "12h", min: "1m", max: "7d", inherited: true, reload: "live" }),
  /**
   * How often is looked whether files of certificates, keys or authorities have changed; if so, handshakes from then on
   * use what is in them now.
   */
  tlsReloadInterval: prop.duration({ default: "1m", min: "100ms", inherited: true, reload: "live" }),
  /** From the acceptance of a connection to the end of its TLS handshake; then it is closed. */
  handshakeTimeout: prop.duration({ default: "15s", min: "1ms", max: "2m", inherited: true, reload: "live" }),
};

export type TlsSettings = PropsOf<typeof tlsProps>;

/** Reports what can be told without any file. */
export function checkTls(context: CheckContext<TlsSettings>): void {
  const { tlsMode, tlsCiphers, tlsCurves } = context.props;
  if (!tlsMode) {
    if (!context.isSet("tlsStrictServerName")) return;
    const message = ".tlsStrictServerName needs .tlsMode = true: there are no handshakes without TLS";
    return context.report({ prop: "tlsStrictServerName", message });
  }
  const flaw = flawOfCiphers(tlsCiphers);
  if (flaw !== undefined) context.report({ prop: "tlsCiphers", message: `.tlsCiphers cannot be used: ${flaw}` });
  const curveFlaw = flawOfCurves(tlsCurves);
  if (curveFlaw !== undefined)
    context.report({ prop: "tlsCurves", message: `.tlsCurves cannot be used: ${curveFlaw}` });
}

/** Reports a key without a certificate, and numbers of them that differ: for whoever names certificates. */
export function checkCertificatePair(context: CheckContext<Pick<NamedFiles, "tlsCert" | "tlsKey">>): void {
  const { tlsCert, tlsKey } = context.props;
  if (tlsKey === undefined) return;
  if (tlsCert === undefined) context.report({ prop: "tlsKey", message: ".tlsKey needs .tlsCert, whose key it is" });
  else if (tlsCert.length !== tlsKey.length) {
    const numbers = `.tlsCert has ${tlsCert.length} files and .tlsKey ${tlsKey.length}`;
    context.report({ prop: "tlsKey", message: `${numbers}: each certificate has a key of its own` });
  }
}
