// Access lines of a webapp for those who follow the traffic, whether it has an access log or not. A line is that of the
// format `json` with more at its end: `component`, `node`, `attempts`, `nodeTime` and `traceId`.

import type { AccessFeed } from "../../operator/access-feed.ts";
import { milliseconds } from "../../log/lines/times.ts";
import { lineText, type LineFormat } from "../../log/lines/line-writer.ts";
import type { AccessEntry } from "./access-entry.ts";
import { jsonFormat } from "./json.ts";
import type { RedactURI } from "./redact.ts";

export class LiveLines {
  readonly #feed: AccessFeed;
  /** Of the webapp. */
  readonly #path: () => string;
  readonly #format: LineFormat<AccessEntry>;

  constructor(feed: AccessFeed, path: () => string, redact: RedactURI) {
    this.#feed = feed;
    this.#path = path;
    this.#format = jsonFormat(redact);
  }

  /** The request is over. */
  readonly offer = (entry: AccessEntry): void => {
    const { req, status, totalTime } = entry;
    const component = entry.rule === undefined ? this.#path() : (req.handlet?.path ?? entry.rule.path);
    const [path = ""] = req.originalURI.split("?", 1);
    this.#feed.offer({ path, component, status, totalTime }, () => this.#line(entry, component));
  };

  #line(entry: AccessEntry, component: string): string {
    const { node, attempts, nodeTime, req } = entry;
    const more = JSON.stringify({
      component,
      node,
      attempts,
      nodeTime: nodeTime === undefined ? null : Number(milliseconds(nodeTime)),
      traceId: req.traceId,
    });
    return `${lineText(this.#format, entry).slice(0, -"}\n".length)},${more.slice(1)}`;
  }
}
