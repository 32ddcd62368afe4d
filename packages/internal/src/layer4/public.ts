// What layer 4 has for programs and contrib packages: part of the public API.

export type * from "./explain/conn-explanation.ts";
export { connWalkText } from "./explain/conn-walk-text.ts";
export { explainableRouter, type ExplainableRouter } from "./explain/explainable-router.ts";
export {
  caseKind,
  dealetKind,
  defineDealet,
  defineRouter,
  routerKind,
  type CasePart,
  type DealetPart,
  type RouterPart,
} from "./kinds.ts";
export type { ConnFacts } from "./facts.ts";
export { tcpsDealet, type TcpsConn, type TcpsDealet } from "./tcps/dealet.ts";
export { tcpsNodes, type TcpsBackend } from "./tcps/tcps-backend.ts";
export type { DialUser, DialWish } from "./tcps/node-link.ts";
export {
  checkInnerTls,
  type InnerTls,
  innerTlsOf,
  innerTlsProps,
  type InnerTlsSettings,
  secured,
  type ServerTls,
} from "./tcps/inner-tls.ts";
export { type ClientPipe, SecurePipe } from "./tcps/secure-pipe.ts";
export type { ConnNotes } from "./conn-log/conn-entry.ts";
export type { ConnEndReason } from "./end-reason.ts";
export { routesDatagrams, udpsDealet, type UdpsDealet, type UdpsSession, type UdpsSessionUser } from "./udps/dealet.ts";
export {
  checkDatagramNodes,
  DatagramBackend,
  datagramBackendProps,
  udpsNodes,
  type UdpsBackend,
  type UdpsNodeSession,
} from "./udps/datagram-backend.ts";
export { DatagramProxy, type DatagramProxySettings } from "./udps/datagram-proxy.ts";
export {
  checkDatagramRouter,
  DatagramRouter,
  datagramRouterProps,
  type DatagramRouterSettings,
} from "./udps/datagram-router.ts";
export { noHello, type HelloReader, type SessionHello } from "./udps/hello.ts";
export { askByDatagram } from "./udps/probes.ts";
export { RouterSession, type NamedLimit, type RouterOfSessions } from "./udps/router-session.ts";
export type { Taker } from "./routed-cases.ts";
export type { DatagramUser } from "./udps/node-datagrams.ts";
export { tcpsOutgate, type TcpsOutgate } from "./tcps/tcps-outgate.ts";
export { udpsOutgate, type Association, type UdpsOutgate } from "./udps/udps-outgate.ts";
export { connVariables } from "./variables.ts";
