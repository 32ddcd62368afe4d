// The props for certificates of clients, without how they are inherited or reloaded.

import type { CheckContext } from "../../component/definition.ts";
import { prop } from "../../component/prop.ts";
import type { ClientDemand } from "./client-terms.ts";

/** Spread this into the props of a server that makes handshakes for one site. */
export const clientCertProps = {
  /**
   * Whether clients are asked for a certificate. With `required`, a connection needs a certificate that leads to
   * `tlsClientCA`.
   */
  tlsClientCert: prop.choice(["none", "optional", "required"], { default: "none" }),
  /** The authorities for client certificates: PEM files. Required if `tlsClientCert` is `optional` or `required`. */
  tlsClientCA: prop.paths({ min: 1 }),
};

/** Reports client certificates that nobody vouches for. */
export function checkClientCert(
  context: CheckContext<{ readonly tlsClientCert: ClientDemand; readonly tlsClientCA: readonly string[] | undefined }>,
): void {
  const { tlsClientCert, tlsClientCA } = context.props;
  if (tlsClientCert === "none" || tlsClientCA !== undefined) return;
  const message = `.tlsClientCert = "${tlsClientCert}" needs .tlsClientCA: who vouches for clients?`;
  context.report({ prop: "tlsClientCert", message });
}
