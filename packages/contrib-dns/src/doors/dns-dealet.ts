// dnsDealet: queries over UDP, TCP and TLS.

import { Deadlines, SeatedRoster } from "@hemi/common";
import {
  backendKind,
  type ConnFacts,
  type Context,
  type DealetExplanation,
  type DealetPart,
  defineDealet,
  eventCounter,
  prop,
  type PropsOf,
  type TcpsConn,
  tcpsDealet,
  type TcpsDealet,
  type UdpsSession,
  udpsDealet,
  type UdpsDealet,
} from "@hemi/internal";
import { flags, plainUdpSize } from "../message/codes.ts";
import { readQuery, type Query } from "../message/query.ts";
import { headOnly } from "../message/reply.ts";
import { dnsAnswerer, type Reply } from "../resolver/answerer.ts";
import { QueryStream } from "./query-stream.ts";
import { RateLimit } from "./rate-limit.ts";
import { keptTime, Regulars } from "./regulars.ts";
import { SessionCounts } from "./session-counts.ts";

const props = {
  /** The resolver that answers: a `dnsBackend`, by its name. */
  toBackend: prop.reference(backendKind, { offering: dnsAnswerer, required: true, inherited: true, reload: "live" }),
  /** Maximum size of a reply over UDP, however much the client can receive. Longer ones make it come over TCP. */
  maxUdpSize: prop.size({ default: 1232, min: 512, max: 65_000, reload: "live" }),
  /**
   * How many replies a network of clients (/24 of IPv4, /64 of IPv6) may get over UDP in a second. Beyond that, every
   * second one is shortened, so that the client comes over TCP, and the others are dropped. 0: unlimited.
   */
  repliesPerSecond: prop.integer({ default: 1000, max: 10_000_000, reload: "live" }),
  /**
   * Maximum number of queries of a client that are not answered yet. Then its connection is not read for a while; over
   * UDP, further ones are dropped.
   */
  maxPending: prop.integer({ default: 100, min: 1, max: 65_536, reload: "live" }),
  /** Closes a connection without a query for this time. */
  idleTimeout: prop.duration({ default: "10s", min: "1ms", reload: "live" }),
};

/**
 * Answers queries of DNS from a `dnsBackend`: over UDP in a udpsRouter; over TCP, or over TLS with `tlsMode`, in a
 * tcpsRouter.
 */
export const dnsDealet = defineDealet({
  sign: "dnsDealet",
  props,
  offers: [tcpsDealet, udpsDealet],
  create: (context): DealetPart & TcpsDealet & UdpsDealet => new DnsDealet(context),
});

class DnsDealet implements DealetPart, TcpsDealet, UdpsDealet {
  readonly #context: Context<PropsOf<typeof props>>;
  readonly #deadlines: Deadlines;
  readonly #rate: RateLimit;
  readonly #streams = new SeatedRoster<QueryStream>();
  readonly #regulars = new Regulars();
  readonly #count: (event: "limited") => void;

  constructor(context: Context<PropsOf<typeof props>>) {
    const { props, log, stage } = context;
    this.#context = context;
    this.#deadlines = new Deadlines({ failed: (error) => log.error("failed when a deadline expired", { error }) });
    this.#rate = new RateLimit(props, () => stage.clock.monotonic());
    this.#count = eventCounter(context, "dnsDealet", ["limited"]);
  }

  takeConn(conn: TcpsConn): true {
    new QueryStream(conn, {
      settings: this.#context.props,
      makeDeadline: (onExpired) => this.#deadlines.add(onExpired),
      answer: (query) => this.#answerer.answer(query, 65_535),
      streams: this.#streams,
    }).begin();
    return true;
  }

  takeSession(session: UdpsSession): true {
    const isRegular = this.#regulars.admit(session);
    const end = (): void => session.close("complete");
    const kept = isRegular ? this.#deadlines.add(end) : undefined;
    const counts = new SessionCounts();
    let pending = 0;
    const done = (): void => {
      pending--;
      if (pending > 0 || session.isOver) return;
      if (kept === undefined) end();
      else kept.set(keptTime);
    };
    session.begin({
      received: (datagram) => {
        counts.queries++;
        if (pending >= this.#context.props.maxPending) {
          counts.limited++;
          return;
        }
        pending++;
        this.#answerDatagram(datagram, session, counts, done);
      },
      closed: () => {
        session.note(counts.notes);
        kept?.clear();
        if (isRegular) this.#regulars.left();
      },
    });
    return true;
  }

  #answerDatagram(datagram: Buffer, session: UdpsSession, counts: SessionCounts, done: () => void): void {
    const read = readQuery(datagram);
    if (read === undefined) return done();
    if ("reply" in read) {
      this.#send(session, counts, read.reply, undefined);
      return done();
    }
    const { query, refusal } = read;
    if (refusal !== undefined) {
      this.#send(session, counts, headOnly(query, refusal), query);
      return done();
    }
    const limit = Math.min(query.edns?.udpSize ?? plainUdpSize, this.#context.props.maxUdpSize);
    const reply = this.#answerer.answer(query, limit);
    const sent = ({ message }: Reply): void => {
      this.#send(session, counts, message, query);
      done();
    };
    if (!(reply instanceof Promise)) return sent(reply);
    reply.then(sent).catch((error: unknown) => {
      this.#context.log.error("failed to answer a query", { error });
      done();
    });
  }

  #send(session: UdpsSession, counts: SessionCounts, message: Buffer, query: Query | undefined): void {
    counts.replied(message);
    const verdict = this.#rate.judge(session.srcHost);
    if (verdict === "send") return void session.send(message);
    this.#count("limited");
    counts.limited++;
    if (verdict === "truncated" && query !== undefined) session.send(headOnly(query, 0, flags.truncated));
  }

  get #answerer() {
    return this.#context.props.toBackend.current;
  }

  update(changed: ReadonlySet<string>): void {
    if (changed.has("idleTimeout")) for (const stream of this.#streams) stream.idleTimeoutChanged();
  }

  shutdown(): void {
    this.#deadlines.close();
  }

  explain(_conn: ConnFacts): DealetExplanation {
    const { toBackend } = this.#context.props;
    return {
      takes: "yes",
      text: `answers its queries by ${toBackend.path}`,
      details: [toBackend.current.description],
    };
  }
}
