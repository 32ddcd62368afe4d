// The props of every server that makes TLS handshakes with clients.

import type { CheckContext } from "../../component/definition.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { flawOfCiphers, flawOfCurves } from "./ciphers.ts";
import type { NamedFiles } from "./site-files.ts";

export const tlsProps = {
  /** Whether this address speaks TLS. If true, it speaks nothing else. */
  tlsMode: prop.bool({ default: false }),
  /**
   * Whether to refuse clients without a server name (SNI) or with an unknown one, with the alert `unrecognized_name`.
   * Otherwise they get the default certificate.
   */
  tlsStrictServerName: prop.bool({ default: false, reload: "live" }),
  /** The oldest supported version of TLS. Versions before 1.2 are insecure. */
  tlsMinVersion: prop.choice(["TLSv1.2", "TLSv1.3"], { default: "TLSv1.2", inherited: true, reload: "live" }),
  /** The ciphers of TLS 1.2 and 1.3, as OpenSSL names separated by `:`. The default ciphers have forward secrecy. */
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
   * The groups for the exchange of keys, by OpenSSL's names, the favourite first, with `:` between them, such as
   * `X25519:P-256`. `auto`: those of OpenSSL.
   */
  tlsCurves: prop.string({ default: "auto", minLength: 1, inherited: true, reload: "live" }),
  /**
   * So long after its handshake a client may go on with its session on another connection, which spares both a full
   * handshake.
   */
  tlsSessionTimeout: prop.duration({ default: "5m", min: "1s", max: "7d", inherited: true, reload: "live" }),
  /**
   * Maximum age of the key that encrypts session tickets. After that it is replaced, and older tickets lead to a full
   * handshake. All servers of a process share the key: the shortest lifetime applies.
   */
  tlsTicketKeyLifetime: prop.duration({ default: "12h", min: "1m", max: "7d", inherited: true, reload: "live" }),
  /**
   * Interval of checks whether the files of certificates, keys or authorities have changed. Later handshakes use the
   * new content.
   */
  tlsReloadInterval: prop.duration({ default: "1m", min: "100ms", inherited: true, reload: "live" }),
  /** Time limit from the acceptance of a connection to the end of its TLS handshake. After that it is closed. */
  handshakeTimeout: prop.duration({ default: "15s", min: "1ms", max: "2m", inherited: true, reload: "live" }),
};

export type TlsSettings = PropsOf<typeof tlsProps>;

/** Reports problems that are visible without reading any file. */
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

/** Reports a key without a certificate, and different numbers of keys and certificates. */
export function checkCertificatePair(context: CheckContext<Pick<NamedFiles, "tlsCert" | "tlsKey">>): void {
  const { tlsCert, tlsKey } = context.props;
  if (tlsKey === undefined) return;
  if (tlsCert === undefined) context.report({ prop: "tlsKey", message: ".tlsKey needs .tlsCert, whose key it is" });
  else if (tlsCert.length !== tlsKey.length) {
    const numbers = `.tlsCert has ${tlsCert.length} files and .tlsKey ${tlsKey.length}`;
    context.report({ prop: "tlsKey", message: `${numbers}: each certificate has a key of its own` });
  }
}
