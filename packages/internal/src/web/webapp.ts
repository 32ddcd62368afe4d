// webapp: one web application, by hostnames, with its rules in order.

import type { Context } from "../component/context.ts";
import { prop } from "../component/prop.ts";
import type { PropsOf } from "../component/props/prop-type.ts";
import { defineWebapp, ruleKind, type RulePart, type WebappPart } from "./kinds.ts";
import type { Request } from "./request.ts";
import type { Response } from "./response.ts";
import { sendStatusPage } from "./status-page.ts";

const props = {
  /** Exact names, `*.suffix`, `prefix.*`, or `*` for the default webapp. The most specific one wins. */
  hostnames: prop.hostnames({ required: true }),
  /** The folder that static files and file tests are looked up in. */
  webRoot: prop.path({ inherited: true }),
  /** A file sent, with status 404, for what no rule takes. */
  file404: prop.path(),
  /** Whatever the webapp's own code wants to be told. */
  settings: prop.dict(prop.string(), { default: {} }),
};

/** A web application. */
export const webapp = defineWebapp({
  sign: "webapp",
  props,
  create: (context): WebappPart => new Webapp(context),
});

class Webapp implements WebappPart {
  readonly #context: Context<PropsOf<typeof props>, undefined>;
  #rules: readonly RulePart[] = [];

  constructor(context: Context<PropsOf<typeof props>, undefined>) {
    this.#context = context;
  }

  get hostnames(): readonly string[] {
    return this.#context.props.hostnames;
  }

  get settings(): ReadonlyMap<string, string> {
    return this.#context.props.settings;
  }

  prepare(): void {
    this.#rules = this.#context.children(ruleKind).map(({ part }) => part);
  }

  handle(req: Request, resp: Response): boolean | Promise<boolean> {
    return this.#walk(req, resp, 0);
  }

  async notFound(_req: Request, resp: Response): Promise<void> {
    const { file404 } = this.#context.props;
    if (file404 === undefined) return sendStatusPage(resp, 404);
    resp.reset();
    resp.status = 404;
    await resp.sendFile(file404);
  }

  /** Tries the rules from `from` on; it becomes asynchronous only where one of them does. */
  #walk(req: Request, resp: Response, from: number): boolean | Promise<boolean> {
    const rules = this.#rules;
    for (let i = from; i < rules.length; i++) {
      const rule = rules[i];
      if (rule === undefined) break;
      const matches = rule.matches(req);
      if (matches === false) continue;
      const taken =
        matches === true ? rule.handle(req, resp) : matches.then((matches) => matches && rule.handle(req, resp));
      if (taken === true) return true;
      if (taken !== false) return taken.then((taken) => taken || this.#walk(req, resp, i + 1));
    }
    return false;
  }
}
