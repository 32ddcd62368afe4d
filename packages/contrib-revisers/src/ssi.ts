// ssi: evaluates directives in pages (server-side includes).

import {
  type ContentFilter,
  type Context,
  defineReviser,
  prop,
  type PropsOf,
  type Request,
  type Response,
  type ReviserPart,
} from "@hemi/internal";
import { mediaTypePattern, mediaTypeSet } from "./media-types.ts";
import { ssiRank } from "./ranks.ts";
import { Page } from "./ssi/page.ts";
import { SsiFilter } from "./ssi/ssi-filter.ts";
import { beginTextChange } from "./text-change.ts";

const props = {
  /** Media types of the responses to evaluate. */
  types: prop.strings({ default: ["text/html"], pattern: mediaTypePattern, reload: "live" }),
  /**
   * The text in place of an invalid directive, or of an include that fails.
   * `<!--#config errmsg="…" -->` changes it for the rest of a page.
   */
  errorText: prop.string({ default: "[an error occurred while processing the directive]", reload: "live" }),
  /** Maximum number of includes of a page, including nested ones. A further one is an error. */
  maxIncludes: prop.integer({ default: 50, reload: "live" }),
  /** Maximum nesting of includes. */
  maxDepth: prop.integer({ default: 5, max: 20, reload: "live" }),
  /** Maximum size of an include, in bytes. A larger one is cut off with the error text. */
  maxIncludeSize: prop.size({ default: "1M", reload: "live" }),
  /** Maximum size of a directive, in bytes. A longer one is invalid. At most this much of a response is held back. */
  maxDirectiveSize: prop.size({ default: "4K", min: 64, max: "64K", reload: "live" }),
};

/**
 * Evaluates the directives in pages, as Apache and nginx do: `include` (`virtual`, or `file` for a path beside the
 * page), `echo`, `set`, `if`, `elif`, `else`, `endif`, `config` (`errmsg`, `timefmt`). An include is a subrequest of
 * the same webapp, by the same rules as any request. The includes in one piece of a page run in parallel. There is no
 * `exec`.
 *
 * Variables are those of `set`, `DATE_GMT`, `DATE_LOCAL`, `LAST_MODIFIED`, `DOCUMENT_URI`, `DOCUMENT_NAME`,
 * `QUERY_STRING`, `REMOTE_ADDR`, and those of Hemi, such as `query_name`. `echo` escapes them for markup
 * (`encoding="entity"`; the alternatives are `url` and `none`). In a target of `include`, a variable is one path
 * segment or one query value, percent-encoded; `DOCUMENT_URI`, `path`, `encodedPath` and `uri` keep the slashes of the
 * path, and `QUERY_STRING` is a query. A value that makes a dot segment, such as `..`, is an error: client input always
 * remains text. Responses have neither `etag` nor `last-modified`, and no ranges.
 */
export const ssi = defineReviser({
  sign: "ssi",
  props,
  create: (context): ReviserPart => new Ssi(context),
});

class Ssi implements ReviserPart {
  readonly rank = ssiRank;
  readonly #context: Context<PropsOf<typeof props>>;
  #isListed: (contentType: string | undefined) => boolean;

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
    this.#isListed = mediaTypeSet(context.props.types);
  }

  update(): void {
    this.#isListed = mediaTypeSet(this.#context.props.types);
  }

  reviseRequest(req: Request): undefined {
    req.demandPlainContent(this.#isListed);
  }

  reviseResponse(req: Request, resp: Response): ContentFilter | undefined {
    const { props, log, stage } = this.#context;
    const lastModified = resp.header("last-modified");
    const form = beginTextChange(resp, { isListed: this.#isListed, isConstant: false });
    if (form === undefined) return undefined;
    const noteBroken = (target: string, reason: string): undefined => {
      log.info(`${req.uri} includes ${target}, which failed: ${reason}`, { requestId: req.id });
    };
    return new SsiFilter({
      page: new Page(req, { errorText: props.errorText, now: stage.clock.now(), lastModified }),
      form,
      maxDirectiveSize: props.maxDirectiveSize,
      noteBroken: (error) => noteBroken("something", String(error)),
      fetch: (target) =>
        req
          .subrequest(target, {
            maxCount: props.maxIncludes,
            maxDepth: props.maxDepth,
            maxSize: props.maxIncludeSize,
          })
          .then(
            ({ status, content }) =>
              status >= 200 && status < 300 ? content : noteBroken(target, `it was answered with ${status}`),
            (error: unknown) => noteBroken(target, String(error)),
          ),
    });
  }
}
