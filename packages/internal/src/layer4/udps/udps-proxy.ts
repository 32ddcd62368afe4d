// udpsProxy: joins sessions of clients with the nodes of a backend.

import { backendKind } from "../../backend/kind.ts";
import type { BackendFailure } from "../../backend/failure.ts";
import type { SelectionHint } from "../../backend/selection-hint.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { compileTemplate } from "../../component/template.ts";
import type { OpenSpan } from "../../operator/trace.ts";
import type { Context } from "../../stage/context.ts";
import type { DealetExplanation } from "../explain/conn-explanation.ts";
import { endAttempt } from "../conn-tracing.ts";
import { explainChoice } from "../explain/explain-choice.ts";
import type { ConnFacts } from "../facts.ts";
import { defineDealet, type DealetPart } from "../kinds.ts";
import { connVariables } from "../variables.ts";
import { udpsDealet, type UdpsDealet, type UdpsSession, type UdpsSessionUser } from "./dealet.ts";
import type { DatagramUser } from "./node-datagrams.ts";
import { udpsNodes, type UdpsBackend, type UdpsNodeSession } from "./udps-backend.ts";

const props = {
  /** The backend whose nodes get the datagrams: all those of a session go to the same node. */
  toBackend: prop.reference(backendKind, { offering: udpsNodes, required: true, inherited: true }),
  /** The key of a backend with `balancer = "hash"`: equal keys go to the same node. Default: the client's address. */
  hashOn: prop.template(),
  /** Number of other nodes that are tried if a node cannot be reached. */
  maxRetries: prop.integer({ default: 2, max: 100, reload: "live" }),
  /**
   * Ends a session as soon as there were this many answers for each of its datagrams: 1 for DNS. It frees a socket at
   * once, which is otherwise kept for `idleTimeout` of the router. 0: the number is not known.
   */
  expectedAnswers: prop.integer({ default: 0, max: 1_000_000, reload: "live" }),
  /** What happens to the sessions of a node that health checks find down. A closed one begins anew, at another node. */
  onNodeDown: prop.choice(["keep", "close"], { default: "close", reload: "live" }),
  /** Another backend that gets a copy of each datagram. Its answers are dropped. */
  mirrorTo: prop.reference(backendKind, { offering: udpsNodes, reload: "live" }),
};

/**
 * Passes the datagrams of a session on to a node of a backend, and its answers back, from the address that the client
 * has sent to.
 */
export const udpsProxy = defineDealet({
  sign: "udpsProxy",
  props,
  offers: [udpsDealet],
  create: (context): DealetPart & UdpsDealet => new UdpsProxy(context),
});

class UdpsProxy implements DealetPart, UdpsDealet {
  readonly #context: Context<PropsOf<typeof props>>;
  readonly #key: (session: ConnFacts) => string;

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
    const { hashOn } = context.props;
    this.#key = hashOn === undefined ? ({ srcHost }) => srcHost : compileTemplate<ConnFacts>(hashOn, connVariables);
  }

  get settings(): PropsOf<typeof props> {
    return this.#context.props;
  }

  takeSession(session: UdpsSession): true {
    const { toBackend, mirrorTo } = this.settings;
    const key = this.#key(session);
    const mirror = mirrorTo?.current.session(wishOf(session, key, []), ignoring);
    mirror?.open();
    new ProxiedSession(session, this, toBackend.current, key, mirror).open();
    return true;
  }

  explain(session: ConnFacts): DealetExplanation {
    const { toBackend } = this.settings;
    const from = { address: session.srcHost, port: session.srcPort };
    const choice = toBackend.current.explain({ key: this.#key(session), stickTo: "", tried: [], from });
    return explainChoice("sends its datagrams to", toBackend.path, choice);
  }

  failed(failure: BackendFailure): void {
    this.#context.log.warn(failure.message);
  }
}

function wishOf({ source }: UdpsSession, key: string, tried: readonly string[]): SelectionHint {
  return { key, stickTo: "", tried, from: source };
}

/** Of a mirror, nothing comes back. */
const ignoring: DatagramUser = { assigned() {}, answered() {}, failed() {}, nodeDown() {} };

/** One session, while a node is looked for and after that. */
class ProxiedSession implements DatagramUser, UdpsSessionUser {
  readonly #session: UdpsSession;
  readonly #proxy: UdpsProxy;
  readonly #backend: UdpsBackend;
  readonly #key: string;
  readonly #mirror: UdpsNodeSession | undefined;
  readonly #tried: string[] = [];
  #node: UdpsNodeSession | undefined;
  #hasBegun = false;
  /** Of the attempt that is under way, in a session that is traced. */
  #span: OpenSpan | undefined;
  /** What was sent before the first answer: it goes to another node if the first one cannot be reached. */
  #unanswered: Buffer[] | undefined = [];
  /** Answers that are expected. */
  #owed = 0;

  constructor(
    session: UdpsSession,
    proxy: UdpsProxy,
    backend: UdpsBackend,
    key: string,
    mirror: UdpsNodeSession | undefined,
  ) {
    this.#session = session;
    this.#proxy = proxy;
    this.#backend = backend;
    this.#key = key;
    this.#mirror = mirror;
    session.onClose(() => {
      this.#attempted("", "cancelled");
      this.#node?.close();
      this.#mirror?.close();
    });
  }

  open(): void {
    this.#span = this.#session.trace?.begin("attempt", "client");
    this.#node = this.#backend.session(wishOf(this.#session, this.#key, [...this.#tried]), this);
    this.#node.open();
  }

  assigned(node: string): void {
    this.#session.servedBy(node);
    this.#attempted(node);
    if (this.#hasBegun) {
      for (const datagram of this.#unanswered ?? []) this.#node?.send(datagram);
    } else {
      this.#hasBegun = true;
      this.#session.begin(this);
    }
  }

  received(datagram: Buffer): void {
    this.#owed += this.#proxy.settings.expectedAnswers;
    if (this.#unanswered !== undefined && this.#unanswered.length < maxUnanswered) this.#unanswered.push(datagram);
    else this.#unanswered = undefined;
    this.#node?.send(datagram);
    this.#mirror?.send(datagram);
  }

  closed(): void {}

  answered(datagram: Buffer): void {
    this.#unanswered = undefined;
    this.#session.send(datagram);
    if (this.#owed > 0 && --this.#owed === 0) this.#session.close("complete");
  }

  failed(failure: BackendFailure): void {
    if (this.#session.isOver) return;
    this.#proxy.failed(failure);
    this.#attempted(failure.node, failure.code);
    if (failure.node !== "") this.#tried.push(failure.node);
    const isRepeatable = failure.node !== "" && this.#unanswered !== undefined;
    const mayRetry = isRepeatable && this.#tried.length <= this.#proxy.settings.maxRetries;
    if (mayRetry && this.#backend.whyNoRetry(this.#tried) === undefined) this.open();
    else this.#session.close(failure.node === "" ? "noNode" : "nodeAborted");
  }

  #attempted(node: string, error?: string): void {
    endAttempt(this.#session.trace, this.#span, node, error);
    this.#span = undefined;
  }

  nodeDown(): void {
    if (this.#proxy.settings.onNodeDown === "close") this.#session.close("nodeDown");
  }
}

/** The number of datagrams that are kept to be sent again. Not a prop: a client repeats what is lost. */
const maxUnanswered = 8;
