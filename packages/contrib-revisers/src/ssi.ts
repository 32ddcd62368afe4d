// ssi: fills in pages by directives in them (server-side includes).

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
  /** Media types of the answers that are filled in. */
  types: prop.strings({ default: ["text/html"], pattern: mediaTypePattern, reload: "live" }),
  /** Stands in the place of a directive that is wrong, or includes what cannot be had; `<!--#config errmsg="…" -->` changes it for the rest of a page. */
  errorText: prop.string({ default: "[an error occurred while processing the directive]", reload: "live" }),
  /** How many a page may include, with all that those include in turn; one more is an error in its place. */
  maxIncludes: prop.integer({ default: 50, reload: "live" }),
  /** How deep pages may include one another. */
  maxDepth: prop.integer({ default: 5, max: 20, reload: "live" }),
  /** Of one thing that is included, in bytes; what is larger breaks off with the error text. */
  maxIncludeSize: prop.size({ default: "1M", reload: "live" }),
  /** Of a directive, in bytes; a longer one is wrong. So much of an answer is held back at most. */
  maxDirectiveSize: prop.size({ default: "4K", min: 64, max: "64K", reload: "live" }),
};

/**
 * Fills in pages by the directives in them, as Apache and nginx do: `include` (`virtual`, or `file` for one beside the page), `echo`, `set`, `if`, `elif`, `else`,
 * `endif`, `config` (`errmsg`, `timefmt`). What is included is a subrequest of the same webapp, by the rules of any request; those of one piece of a
 * page run side by side. There is no `exec`.
 *
 * Variables are those that `set` made, `DATE_GMT`, `DATE_LOCAL`, `LAST_MODIFIED`, `DOCUMENT_URI`, `DOCUMENT_NAME`, `QUERY_STRING`, `REMOTE_ADDR`, and those of Hemi,
 * such as `query_name`. `echo` writes them as text into the page (`encoding="entity"`; others are `url` and `none`). In a target of `include` a variable is
 * one segment of the path, or one value of the query, percent-encoded; `DOCUMENT_URI`, `path`, `encodedPath` and `uri` keep their slashes within the path, and `QUERY_STRING` is a query.
 * A value that makes a dot segment, such as `..`, is an error: whatever clients send stays text. Answers have neither `etag` nor `last-modified`, and no ranges.
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
