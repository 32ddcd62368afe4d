// For tests: a webapp with sessions, at a time that the test sets.

import { setImmediate } from "node:timers/promises";
import type { Workers } from "../stage/workers.ts";
import { defineHandlet, type HandletPart } from "../web/kinds.ts";
import type { StaterPart } from "../web/session/stater.ts";
import type { InjectResponse } from "../web/wires/inject-request.ts";
import { stageAtTime, type StageAtTime } from "./stage-at-time.ts";

export interface StaterSite extends StageAtTime, AsyncDisposable {
  readonly stater: StaterPart;
  /** Asks over plain http, or over https. */
  get(path: string, cookie?: string, scheme?: "http" | "https"): Promise<InjectResponse>;
}

export interface StaterSiteOptions {
  /** Default: one worker. */
  readonly workers?: Workers | undefined;
  /** Props of the server, in the words of the configuration. */
  readonly server?: string;
}

/** `stater` is the text of a component; the function answers all requests. */
export async function staterSite(
  stater: string,
  handle: HandletPart["handle"] = () => false,
  { workers, server = "" }: StaterSiteOptions = {},
): Promise<StaterSite> {
  const [, name = ""] = /^\s*\w+ "(\w+)"/.exec(stater) ?? [];
  const app = defineHandlet({ sign: "app", create: () => ({ handle }) });
  const at = await stageAtTime(
    `stage {
      ${stater}
      webapp "site" { .hostnames = ("*") .withStater = "${name}" rule { app {} } }
      httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" ${server} }
    }`,
    [app],
    workers,
  );
  const found = [...at.stage.components()].map(({ part }) => part).find(isStater);
  if (found === undefined) throw new Error("there is no stater");
  return {
    ...at,
    stater: found,
    get: (path, cookie, scheme = "http") =>
      at.stage.inject({ url: `${scheme}://a.example${path}`, headers: cookie === undefined ? {} : { cookie } }),
    async [Symbol.asyncDispose]() {
      await setImmediate();
      await at.stage.quit(1000);
    },
  };
}

function isStater(part: object): part is StaterPart {
  return "find" in part && "rotate" in part;
}
