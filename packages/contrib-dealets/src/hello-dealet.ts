// helloDealet: says one text to everyone.

import { Deadlines } from "@hemi/common";
import {
  compileTemplate,
  type ConnFacts,
  connVariables,
  defineDealet,
  prop,
  tcpsDealet,
  udpsDealet,
} from "@hemi/internal";

/** Sends a text and closes the connection; of datagrams, it answers each one with it. */
export const helloDealet = defineDealet({
  sign: "helloDealet",
  props: {
    /** The text, sent as UTF-8: `"hello, " + $srcHost`. */
    text: prop.template({ default: "hello, world!\n" }),
    /** What the client sends is read away, so that a reset does not destroy the text; for this time at most. */
    lingerTimeout: prop.duration({ default: "2s", min: "1ms", reload: "live" }),
  },
  offers: [tcpsDealet, udpsDealet],
  create({ props, log }) {
    const text = compileTemplate<ConnFacts>(props.text, connVariables);
    const deadlines = new Deadlines({ failed: (error) => log.error("failed when a deadline expired", { error }) });
    return {
      takeConn(conn) {
        const deadline = deadlines.add(() => conn.close("complete"));
        deadline.set(props.lingerTimeout);
        conn.link.write(Buffer.from(text(conn)), false);
        conn.link.end();
        conn.begin({ received() {}, drained() {}, ended() {}, closed: () => deadline.clear() });
        return true;
      },
      takeSession(session) {
        session.begin({ received: () => void session.send(Buffer.from(text(session))), closed: () => {} });
        return true;
      },
      shutdown: () => deadlines.close(),
      explain: (conn) => ({ takes: "yes", text: `sends ${JSON.stringify(text(conn))}` }),
    };
  },
});
