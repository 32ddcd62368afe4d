// The fixed response of a rule: a status, a text, or a redirect.

import { Buffer } from "node:buffer";
import type { Explanation } from "../explain/explanation.ts";
import { compileTemplate, templateOf, type Template } from "../../component/template.ts";
import { quote } from "../../config/quote.ts";
import { encodeLocation } from "./location.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "./response.ts";
import { sendStatusPage } from "./status-page.ts";
import { compileUri, uriPieces } from "../conditions/uri-template.ts";
import { webVariables } from "../conditions/variables.ts";

/** Statuses whose text is the redirect location. */
export const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface FixedResponse {
  /** Sends the response. */
  readonly send: (req: Request, resp: Response) => true;
  readonly explain: (req: Request) => Explanation;
}

/** The response of `returnCode` and `returnText`; `undefined` if neither is set. */
export function fixedResponse(
  returnCode: number | undefined,
  returnText: Template | undefined,
): FixedResponse | undefined {
  if (returnCode === undefined && returnText === undefined) return undefined;
  const status = returnCode ?? 200;
  if (returnText !== undefined && redirects.has(status)) return redirect(status, returnText);
  if (returnText === undefined && status >= 400) return errorPage(status);
  const text = returnText === undefined ? undefined : compileTemplate(ownText(returnText), webVariables);
  return {
    send(req, resp) {
      if (status !== 200) resp.status = status;
      resp.send(text?.(req));
      return true;
    },
    explain(req) {
      const value = text?.(req);
      const what = value === undefined ? "answers without content" : `answers ${quote(value)}`;
      return { takes: "yes", status, text: what };
    },
  };
}

/** With a constant text that is not cut out of the configuration: comparing such a part is a call into the runtime. */
function ownText(template: Template): Template {
  const { constant } = template;
  return constant === undefined ? template : templateOf([Buffer.from(constant).toString()]);
}

function errorPage(status: number): FixedResponse {
  return {
    send(_req, resp) {
      sendStatusPage(resp, status);
      return true;
    },
    explain: () => ({ takes: "yes", status, text: "answers with the page for its status" }),
  };
}

function redirect(status: number, location: Template): FixedResponse {
  const { constant } = location;
  const fixed = constant === undefined ? undefined : encodeLocation(constant);
  const locate = fixed === undefined ? compileUri(uriPieces(location)) : () => fixed;
  return {
    send(req, resp) {
      const location = locate(req);
      resp.status = status;
      resp.setHeader("location", location);
      resp.contentSize = 0;
      resp.send();
      return true;
    },
    explain: (req) => ({ takes: "yes", status, text: `redirects to ${locate(req)}` }),
  };
}
