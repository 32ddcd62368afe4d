// gzip: compresses answers, by gzip, Brotli or Zstandard, as the client likes best.

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
   * Codings to use. A client gets the one that it likes best by its `Accept-Encoding`; of those that it likes alike, the first in this list. One that
   * sends no such field gets none.
   */
  codings: prop.list(prop.choice(codings), { default: ["zstd", "br", "gzip"], min: 1, reload: "live" }),
  /** Media types to compress: `text/html`, all of `text/*`, all that end in `*+json`, or `*`. What is compressed already, as images are, only gets larger. */
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
  /** Answers that are known to be smaller than this, in bytes, go as they are: they fit into a packet in any case. */
  minSize: prop.size({ default: 512, reload: "live" }),
  /** From 1, fastest, to 9, smallest. */
  gzipLevel: prop.integer({ default: 5, min: 1, max: 9, reload: "live" }),
  /** From 0, fastest, to 11, smallest. From 5 on it is slow: those are for files that are compressed once, by `precompressed` of static. */
  brLevel: prop.integer({ default: 4, max: 11, reload: "live" }),
  /** From 1, fastest, to 19, smallest. */
  zstdLevel: prop.integer({ default: 3, min: 1, max: 19, reload: "live" }),
  /**
   * What the source of an answer sends is flushed to the client after so long at the latest, also while more pieces follow. Answers of the
   * type `text/event-stream` never wait: each piece goes on as it comes. Files are not flushed before their end.
   */
  flushAfter: prop.duration({ default: "50ms", min: 1, reload: "live" }),
  /**
   * Compressed forms of files, in bytes, are kept up to so much, those that were asked for last; from the second request on a file then costs no
   * more than without compression. 0: none are kept. A form larger than an eighth of it is not.
   */
  cacheSize: prop.size({ default: "32M", reload: "recreate" }),
  /** Answers being compressed piece by piece at once. Each holds up to 1 MiB; what would be one more goes as it is. */
  maxStreams: prop.integer({ default: 256, min: 1, reload: "live" }),
};

/**
 * Compresses answers. Left as they are: parts of a content (206), what is coded already, and what `cache-control: no-transform` forbids to change.
 * All answers that it would compress for some client get `vary: accept-encoding`, for others too; where it does compress, strong entity tags
 * become weak ones, by which `If-None-Match` still works.
 *
 * Whoever can make a page repeat text of theirs beside a secret can guess the secret by the size of the compressed page, letter by letter, even over TLS
 * (the BREACH attack). Leave pages with secrets out, or have the secrets masked anew for each answer, as frameworks do with their CSRF tokens.
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

/** `before`: the list as it was. The response may still get other fields, from other revisers: what is kept is a copy. */
function rememberFields(form: CodedForm, before: readonly string[], resp: Response): void {
  form.fieldsAfter = form.fieldsBefore === before ? [...resp.fieldList] : undefined;
  form.fieldsBefore = before;
}

/** "none": the client takes none of them, or likes the content as it is better. */
function chooser(offered: readonly Coding[]): (acceptEncoding: string | undefined) => Coding | "none" {
  return memoizeField((field) => offered[rankCodings(field, offered).indexOf(0)] ?? "none");
}
