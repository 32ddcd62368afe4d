// gzip: compresses responses with gzip, Brotli or Zstandard, as the client prefers.

import {
  type Coding,
  codings,
  type ContentFilter,
  type Context,
  defineReviser,
  type KnownContent,
  memoizeField,
  prop,
  type PropsOf,
  rankCodings,
  type Request,
  type Response,
  type ReviserPart,
} from "@hemi/internal";
import { CodedCache, type CodedForm } from "./coded-cache.ts";
import { coders } from "./coders.ts";
import { EncodingFilter, maxAtOnce } from "./encoding-filter.ts";
import { mediaTypePattern, mediaTypeSet } from "./media-types.ts";
import { gzipRank } from "./ranks.ts";
import {
  addVary,
  hasNoContent,
  isWholeAndFree,
  mayChangeContent,
  weakenNotModified,
  weakenValidators,
} from "./validators.ts";

const props = {
  /**
   * The codings to use. A client gets the one that it prefers by its `Accept-Encoding`; of equally preferred ones, the
   * first in this list. A client without this field gets none.
   */
  codings: prop.list(prop.choice(codings), { default: ["zstd", "br", "gzip"], min: 1, reload: "live" }),
  /**
   * Media types to compress: `text/html`, all of `text/*`, all that end in `*+json`, or `*`. Content that is already
   * compressed, such as images, would only become larger.
   */
  types: prop.strings({
    default: [
      "text/*",
      "*+json",
      "*+xml",
      "application/json",
      "application/javascript",
      "application/xml",
      "application/wasm",
      "application/manifest+json",
      "application/vnd.ms-fontobject",
      "font/otf",
      "font/ttf",
      "image/bmp",
      "image/x-icon",
    ],
    pattern: mediaTypePattern,
    reload: "live",
  }),
  /**
   * Minimum size of a response to compress, in bytes, if the size is known. Smaller ones fit into one packet anyway.
   */
  minSize: prop.size({ default: 512, reload: "live" }),
  /** From 1 (fastest) to 9 (smallest). */
  gzipLevel: prop.integer({ default: 5, min: 1, max: 9, reload: "live" }),
  /**
   * From 0 (fastest) to 11 (smallest). Levels from 5 are slow: use them for files that are compressed once, with
   * `precompressed` of static.
   */
  brLevel: prop.integer({ default: 4, max: 11, reload: "live" }),
  /** From 1 (fastest) to 19 (smallest). */
  zstdLevel: prop.integer({ default: 3, min: 1, max: 19, reload: "live" }),
  /**
   * Maximum delay before streamed content is flushed to the client, even if more pieces follow. Responses of type
   * `text/event-stream` are never delayed. Files are not flushed before their end.
   */
  flushAfter: prop.duration({ default: "50ms", min: 1, reload: "live" }),
  /**
   * Maximum size of the cache of compressed files, in bytes; the least recently used are dropped. From the second
   * request on, a file then costs no more than without compression. 0: no cache. A form larger than one eighth of it is
   * not cached.
   */
  cacheSize: prop.size({ default: "32M", reload: "recreate" }),
  /**
   * Maximum number of responses that are compressed piece by piece at the same time. Each needs up to 1 MiB. Further
   * responses are not compressed.
   */
  maxStreams: prop.integer({ default: 256, min: 1, reload: "live" }),
};

/**
 * Compresses responses. Partial content (206), encoded content, and content that `cache-control: no-transform` protects
 * are left unchanged. All responses that it would compress for some client get `vary: accept-encoding`. In compressed
 * responses, strong entity tags become weak ones; `If-None-Match` still works.
 *
 * If attackers can make a page repeat their text beside a secret, they can guess the secret from the size of the
 * compressed page, letter by letter, even over TLS (the BREACH attack). Do not compress pages with secrets, or mask the
 * secrets differently in each response, as frameworks do with CSRF tokens.
 */
export const gzip = defineReviser({
  sign: "gzip",
  props,
  create: (context): ReviserPart => new Gzip(context),
});

class Gzip implements ReviserPart {
  readonly rank = gzipRank;
  readonly #context: Context<PropsOf<typeof props>>;
  readonly #cache: CodedCache;
  #isListed: (contentType: string | undefined) => boolean;
  #codingFor: (acceptEncoding: string | undefined) => Coding | "none";
  #streams = 0;

  constructor(context: Context<PropsOf<typeof props>>) {
    this.#context = context;
    this.#cache = new CodedCache(context.props.cacheSize);
    this.#isListed = mediaTypeSet(context.props.types);
    this.#codingFor = chooser(context.props.codings);
  }

  update(): void {
    const { props } = this.#context;
    // Levels may be others now.
    this.#cache.clear();
    this.#isListed = mediaTypeSet(props.types);
    this.#codingFor = chooser(props.codings);
  }

  reviseResponse(req: Request, resp: Response): ContentFilter | undefined {
    if (resp.status === 304) {
      this.#reviseNotModified(req, resp);
      return undefined;
    }
    const coding = this.#codingFor(req.header("accept-encoding"));
    const { contentSize: size, knownContent: known, fieldList } = resp;
    const form = known === undefined || coding === "none" ? undefined : this.#cache.get(known, coding);
    // All that follows hangs on status, content and fields, and came out so before.
    if (
      coding !== "none" &&
      form?.fieldsAfter !== undefined &&
      form.fieldsBefore === fieldList &&
      resp.status === 200
    ) {
      resp.replaceFields(form.fieldsAfter);
      return this.#filter(coding, { known, form, isStream: false, isLive: false });
    }
    const type = resp.header("content-type");
    if (!this.#isFor(type, size) || hasNoContent(resp) || !mayChangeContent(resp)) return undefined;
    addVary(resp, "accept-encoding");
    if (coding === "none") return undefined;
    const isStream = form === undefined && (size === undefined || size > maxAtOnce);
    if (isStream && this.#streams >= this.#context.props.maxStreams) return undefined;
    resp.setHeader("content-encoding", coding);
    weakenValidators(resp);
    if (form !== undefined && resp.status === 200) rememberFields(form, fieldList, resp);
    return this.#filter(coding, { known, form, isStream, isLive: type?.startsWith("text/event-stream") === true });
  }

  /** It has the entity tag and `vary` of the answer that it stands for (RFC 9110 section 15.4.5). */
  #reviseNotModified(req: Request, resp: Response): void {
    const { knownContent: known } = resp;
    if (known === undefined) {
      if (weakenNotModified(req, resp)) addVary(resp, "accept-encoding");
      return;
    }
    if (known.coding !== undefined || !isWholeAndFree(resp) || !this.#isFor(known.type, known.size)) return;
    addVary(resp, "accept-encoding");
    if (this.#codingFor(req.header("accept-encoding")) !== "none") weakenValidators(resp);
  }

  #isFor(type: string | undefined, size: number | undefined): boolean {
    return (size === undefined || size >= this.#context.props.minSize) && this.#isListed(type);
  }

  #filter(
    coding: Coding,
    {
      known,
      form,
      isStream,
      isLive,
    }: {
      readonly known: KnownContent | undefined;
      readonly form: CodedForm | undefined;
      readonly isStream: boolean;
      readonly isLive: boolean;
    },
  ): ContentFilter {
    const { props } = this.#context;
    const expected = known === undefined || form !== undefined ? undefined : this.#cache.expect(known, coding);
    if (isStream) this.#streams++;
    return new EncodingFilter({
      coder: coders[coding],
      level: { gzip: props.gzipLevel, br: props.brLevel, zstd: props.zstdLevel }[coding],
      instead: form?.bytes,
      isLive,
      flushAfter: props.flushAfter,
      keep: expected?.keep,
      maxKept: this.#cache.maxKept,
      onClose: () => {
        if (isStream) this.#streams--;
        expected?.over();
      },
    });
  }
}

/**
 * `before`: the list as it was. The response may still get other fields, from other revisers: what is kept is a copy.
 */
function rememberFields(form: CodedForm, before: readonly string[], resp: Response): void {
  form.fieldsAfter = form.fieldsBefore === before ? [...resp.fieldList] : undefined;
  form.fieldsBefore = before;
}

/** "none": the client takes none of them, or likes the content as it is better. */
function chooser(offered: readonly Coding[]): (acceptEncoding: string | undefined) => Coding | "none" {
  return memoizeField((field) => offered[rankCodings(field, offered).indexOf(0)] ?? "none");
}
