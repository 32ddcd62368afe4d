// What a rule answers by itself: a status, a text, or where to go.

import type { Explanation } from "../explain/explanation.ts";
import { compileTemplate, type Template } from "../../component/template.ts";
import { quote } from "../../config/quote.ts";
import { encodeLocation } from "./location.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "./response.ts";
import { webVariables } from "../conditions/variables.ts";

/** Statuses whose text is where to go. */
export const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface FixedResponse {
  /** Answers; gives back that it did. */
  readonly send: (req: Request, resp: Response) => true;
  readonly explain: (req: Request) => Explanation;
}

/** What `returnCode` and `returnText` make together; `undefined` if neither is set. */
export function fixedResponse(
  returnCode: number | undefined,
  returnText: Template | undefined,
): FixedResponse | undefined {
  if (returnCode === undefined && returnText === undefined) return undefined;
  const status = returnCode ?? 200;
  const text = returnText === undefined ? undefined : compileTemplate(returnText, webVariables);
  const isRedirect = redirects.has(status) && text !== undefined;
  return {
    send(req, resp) {
      if (status !== 200) resp.status = status;
      const value = text?.(req);
      if (isRedirect) resp.setHeader("location", encodeLocation(value ?? ""));
      resp.send(isRedirect ? undefined : value);
      return true;
    },
    explain(req) {
      const value = text?.(req);
      const what = isRedirect
        ? `redirects to ${encodeLocation(value ?? "")}`
        : value === undefined
          ? "answers without content"
          : `answers ${quote(value)}`;
      return { takes: "yes", status, text: what };
    },
  };
}
