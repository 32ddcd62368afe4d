// What the pages ask for, as JSON. The names are those of the control protocol where it has them.

import { HemiError, HTTPError, Mapper, walkText, withoutSecrets, type Request, type Response } from "@hemi/hemi";
import { RemoteError, type Channel } from "../channel/channel.ts";
import type { NoCalls } from "../channel/calls.ts";
import { readExplainParams } from "../control/handlers.ts";
import { readLogOrder } from "../observe/log-order.ts";
import { storyText } from "../observe/story-text.ts";
import { boxesOf, isBoxName } from "./boxes.ts";
import type { ConfigFile, LeaderViewCalls, Pulse } from "./calls.ts";
import { ComponentTable, rowOf } from "./component-table.ts";
import { Pulses } from "./pulses.ts";

/** What the process knows of the session of a request. */
export type SessionName = (req: Request) => string;

export class UIRoutes {
  readonly #leader: Channel<LeaderViewCalls, NoCalls>;
  readonly #pulses: Pulses;
  readonly #table: ComponentTable;
  readonly #sessionName: SessionName;
  readonly mapper: Mapper;

  constructor(leader: Channel<LeaderViewCalls, NoCalls>, sessionName: SessionName) {
    this.#leader = leader;
    this.#sessionName = sessionName;
    this.#pulses = new Pulses((params) => leader.call("pulse", params));
    this.#table = new ComponentTable((from) => leader.call("components", { from }));
    this.mapper = new Mapper({ otherwise: 404 })
      .get("/api/events", (req, resp) => this.#sendEvents(req, resp))
      .get("/api/requests", (req, resp) => this.#sendRequests(req, resp))
      .get("/api/trace", (req, resp) => this.#trace(req.query("id") ?? "", resp))
      .get("/api/components", (req) => this.#components(req))
      .get("/api/component", (req) => this.#component(req.query("path") ?? ""))
      .get("/api/history", (req) => leader.call("history", { path: req.query("path") ?? "" }))
      .get("/api/entries", (req) => this.#entries(req))
      .get("/api/config", () => this.#config())
      .post("/api/explain", async (req, resp) => this.#explain(await readFields(req), resp))
      .post("/api/candidate", async (req, resp) => this.#candidate(await readFields(req), resp))
      .post("/api/act/:name", async (req, resp, { name }) => this.#act(name, await readFields(req), req, resp));
  }

  /** How many tabs are open. */
  get tabs(): number {
    return this.#pulses.size;
  }

  /** One event a second. A tab that does not read makes this wait, and gets the newest one when it reads on. */
  async #sendEvents(req: Request, resp: Response): Promise<undefined> {
    if (this.#pulses.size >= maxTabs) throw new HTTPError(503, `${maxTabs} tabs are open`);
    beginEvents(resp);
    for await (const pulse of this.#pulses.follow(AbortSignal.any([req.signal, req.leaving]))) {
      await resp.echo(`data: ${await this.#eventOf(pulse)}\n\n`);
    }
    resp.end();
  }

  /** Requests that a filter lets through, as they end. Whoever reads slowly is told how many were dropped. */
  async #sendRequests(req: Request, resp: Response): Promise<undefined> {
    const slow = req.query("slow");
    const { path, status } = { path: req.query("path"), status: req.query("status") };
    let order = refusing(() =>
      readLogOrder({ filter: { path, status, ...(slow !== undefined && { slow: Number(slow) }) } }),
    );
    const signal = AbortSignal.any([req.signal, req.leaving]);
    while (!signal.aborted) {
      const { follower, lines, dropped } = await this.#leader.call("logs", order);
      order = { follower };
      beginEvents(resp);
      // The lines are JSON; without one, a comment shows that the connection is alive.
      const isNews = lines.length > 0 || dropped > 0;
      await resp.echo(isNews ? `data: {"lines":[${lines.join(",")}],"lost":${dropped}}\n\n` : ":\n\n");
    }
    resp.end();
  }

  #trace(requestId: string, resp: Response): Promise<unknown> {
    return this.#answer(resp, async () => ({ text: storyText(await this.#leader.call("trace", { requestId })) }));
  }

  /** The same text for all tabs. */
  #eventOf(pulse: Pulse): Promise<string> {
    if (this.#event?.pulse === pulse) return this.#event.text;
    const text = this.#table.all(pulse.generation).then((components) => {
      const { activity, ...others } = pulse;
      const shown = { ...activity, components: activity.components.slice(0, maxBusiest) };
      return JSON.stringify({ ...others, activity: shown, boxes: boxesOf(components, activity) });
    });
    this.#event = { pulse, text };
    return text;
  }

  #event: { readonly pulse: Pulse; readonly text: Promise<string> } | undefined;

  async #now(): Promise<Pulse> {
    const { latest } = this.#pulses;
    return latest ?? (await this.#leader.call("pulse", { logAfter: last, auditAfter: last }));
  }

  async #components(req: Request) {
    const { generation, activity } = await this.#now();
    const box = req.query("box") ?? "";
    const query = {
      box: isBoxName(box) ? box : undefined,
      filter: (req.query("filter") ?? "").slice(0, maxFilter),
      from: numberOf(req.query("from"), 0),
      count: Math.min(numberOf(req.query("count"), 50), maxRows),
    };
    return await this.#table.page(generation, query, activity.components);
  }

  async #component(path: string) {
    const { generation, activity } = await this.#now();
    const component = (await this.#table.all(generation)).find((known) => known.path === path);
    const props = await this.#leader.call("props", { path });
    if (component === undefined || props === null) throw new HTTPError(404, "no component has this path");
    const row = rowOf(component, activity.components);
    const nodes = activity.components.filter((one) => one.path.startsWith(`${path} `));
    const history = row.counted === undefined ? null : await this.#leader.call("history", { path: row.counted });
    return { component: row, props, nodes, history };
  }

  /** Those of the log and of the audit behind a number; of both the last ones at first. */
  #entries(req: Request) {
    const params = { logAfter: numberOf(req.query("log"), 0), auditAfter: numberOf(req.query("audit"), 0) };
    return this.#leader.call("entries", params);
  }

  async #config() {
    return { files: (await this.#leader.call("files", undefined)).map(shownFile) };
  }

  #candidate({ text }: Fields, resp: Response): Promise<unknown> {
    if (text !== undefined && typeof text !== "string") throw new HTTPError(400, "text is a text");
    return this.#answer(resp, async () => {
      const view = await this.#leader.call("candidate", { text });
      return { ...view, files: view.files.map(shownFile) };
    });
  }

  #explain(fields: Fields, resp: Response): Promise<unknown> {
    return this.#answer(resp, async () => {
      const walk = await this.#leader.call("explain", readExplainParams(fields));
      return { text: walkText(walk) };
    });
  }

  #act(name: string, params: Fields, req: Request, resp: Response): Promise<unknown> {
    const by = `browser ${this.#sessionName(req)} from ${req.srcHost}`;
    return this.#answer(resp, async () => ({ result: await this.#leader.call("act", { name, params, by }) }));
  }

  /** What the program refuses, it says in words. */
  async #answer(resp: Response, perform: () => Promise<unknown>): Promise<unknown> {
    try {
      return await perform();
    } catch (error) {
      if (!(error instanceof RemoteError || error instanceof HemiError)) throw error;
      resp.status = 422;
      return { error: error.message.replace(/^hemi: /, "") };
    }
  }
}

function beginEvents(resp: Response): void {
  if (!resp.isHeadSent) resp.setHeader("content-type", "text/event-stream");
}

/** What the client has asked for wrongly is answered with 400. */
function refusing<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    throw new HTTPError(400, cause instanceof Error ? cause.message : String(cause));
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** The content of a request: an object in JSON. Throws HTTPError 400 or 415. */
export async function readFields(req: Request): Promise<Fields> {
  if (!/^application\/json(?:;|$)/i.test(req.header("content-type") ?? "")) throw new HTTPError(415, "no JSON");
  const value = await req.content.json();
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new HTTPError(400, "no object");
  return { ...value };
}

function shownFile({ path, text }: ConfigFile): ConfigFile {
  return { path, text: withoutSecrets(text) };
}

function numberOf(text: string | undefined, otherwise: number): number {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : otherwise;
}

/** No entry is behind it. */
const last = Number.MAX_SAFE_INTEGER;
/** How many tabs may be open at once. */
const maxTabs = 100;
/** Of an event. */
const maxBusiest = 20;
/** Of a page of components. */
const maxRows = 200;
/** In characters. */
const maxFilter = 200;
