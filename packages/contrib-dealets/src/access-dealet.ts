// accessDealet: lets clients in by their addresses.

import { VerdictTable } from "@hemi/common";
import {
  type ConnFacts,
  defineDealet,
  prop,
  type TcpsConn,
  tcpsDealet,
  type UdpsSession,
  udpsDealet,
} from "@hemi/internal";

/**
 * Ends connections, and sessions of datagrams, by the address of the client. Those that it lets in it leaves to the
 * next dealet or case. Of all networks in both lists that hold an address, the one with the longest prefix decides.
 */
export const accessDealet = defineDealet({
  sign: "accessDealet",
  props: {
    /** Whom to let in: CIDRs or single addresses. */
    allow: prop.addresses({ default: [], reload: "live" }),
    /** Whom to refuse. */
    deny: prop.addresses({ default: [], reload: "live" }),
    /** What happens to addresses in neither list, and to clients that come over a UNIX socket and have none. */
    otherwise: prop.choice(["allow", "deny"], { default: "deny", reload: "live" }),
  },
  check({ props, report }) {
    if (props.otherwise === "allow" || props.allow.texts.length > 0) return;
    const hint = 'set .allow, or set .otherwise = "allow" to refuse only those in .deny';
    report({ message: "it would let nobody in", hint });
  },
  offers: [tcpsDealet, udpsDealet],
  create({ props }) {
    const makeTable = (): VerdictTable =>
      new VerdictTable([
        ...props.allow.texts.map((text) => [text, true] as const),
        ...props.deny.texts.map((text) => [text, false] as const),
      ]);
    let table = makeTable();
    const isAllowed = ({ srcHost }: ConnFacts): boolean => table.find(srcHost) ?? props.otherwise === "allow";
    const judge = (conn: TcpsConn | UdpsSession): boolean => {
      if (isAllowed(conn)) return false;
      conn.close("refused");
      return true;
    };
    return {
      update: () => void (table = makeTable()),
      takeConn: judge,
      takeSession: judge,
      explain: (conn) =>
        isAllowed(conn)
          ? { takes: "no", text: "lets it in" }
          : { takes: "yes", text: `ends it: ${conn.srcHost} may not` },
    };
  },
});
