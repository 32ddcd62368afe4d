// wrap: adds text before and after the content of responses.

import { Buffer } from "node:buffer";
import {
  type ContentFilter,
  type Context,
  defineReviser,
  prop,
  type PropsOf,
  type PushPiece,
  type Request,
  type Response,
  type ReviserPart,
} from "@hemi/internal";
import { mediaTypePattern, mediaTypeSet } from "./media-types.ts";
import { wrapRank } from "./ranks.ts";
import { beginTextChange } from "./text-change.ts";
import { TextTemplate } from "./text-form.ts";

const props = {
  /** The text before the content. */
  before: prop.template({ default: "", reload: "live" }),
  /** The text after the content. */
  after: prop.template({ default: "", reload: "live" }),
  /** Media types of the responses to wrap. */
  types: prop.strings({ default: ["text/html"], pattern: mediaTypePattern, reload: "live" }),
  /** Whether values of variables are escaped in HTML and XML. Without it, a client could inject markup into a page. */
  escape: prop.bool({ default: true, reload: "live" }),
};

/**
 * Adds text before and after the content of responses, in their charset. Partial content (206), encoded content, and
 * content that `cache-control: no-transform` protects are left unchanged. To avoid the first two, requests for such
 * types are answered with complete and unencoded content. Strong entity tags become weak ones. If the text contains
 * variables, the entity tag and `last-modified` are removed.
 */
export const wrap = defineReviser({
  sign: "wrap",
  props,
  check(context) {
    const { before, after } = context.props;
    if (before.constant === "" && after.constant === "") {
      context.report({ message: "it puts nothing anywhere", hint: "set .before or .after" });
    }
  },
  create: (context): ReviserPart => new Wrap(context),
});

class Wrap implements ReviserPart {
  readonly rank = wrapRank;
  readonly #context: Context<PropsOf<typeof props>>;
  #texts: Texts;

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
    this.#texts = textsOf(context.props);
  }

  update(): void {
    this.#texts = textsOf(this.#context.props);
  }

  reviseRequest(req: Request): undefined {
    req.demandPlainContent(this.#texts.isListed);
  }

  reviseResponse(req: Request, resp: Response): ContentFilter | undefined {
    const { before, after } = this.#texts;
    const form = beginTextChange(resp, this.#texts);
    if (form === undefined) return undefined;
    const { escape } = this.#context.props;
    return new WrapFilter(before.render(req, form, escape), after.render(req, form, escape));
  }
}

interface Texts {
  readonly before: TextTemplate;
  readonly after: TextTemplate;
  readonly isConstant: boolean;
  readonly isListed: (contentType: string | undefined) => boolean;
}

function textsOf({ before, after, types }: PropsOf<typeof props>): Texts {
  const texts = { before: new TextTemplate(before), after: new TextTemplate(after) };
  return { ...texts, isConstant: texts.before.isConstant && texts.after.isConstant, isListed: mediaTypeSet(types) };
}

export class WrapFilter implements ContentFilter {
  readonly #before: Buffer;
  readonly #after: Buffer;
  #hasBegun = false;

  constructor(before: Buffer, after: Buffer) {
    this.#before = before;
    this.#after = after;
  }

  whole(content: Uint8Array): Uint8Array {
    return Buffer.concat([this.#before, content, this.#after]);
  }

  async push(piece: Uint8Array, next: PushPiece): Promise<void> {
    await this.#begin(next);
    await next(piece);
  }

  async end(next: PushPiece): Promise<void> {
    await this.#begin(next);
    await next(this.#after);
  }

  async #begin(next: PushPiece): Promise<void> {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    await next(this.#before);
  }
}
