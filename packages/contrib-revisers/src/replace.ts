// replace: replaces text in the content of answers.

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
import { type Charset, compilePatterns, type Pattern, type Program } from "./pattern/program.ts";
import { parsePattern, PatternError } from "./pattern/syntax.ts";
import { replaceRank } from "./ranks.ts";
import { ReplaceFilter } from "./replace-filter.ts";
import { Replacement } from "./replacement.ts";
import { beginTextChange } from "./text-change.ts";

const props = {
  /**
   * What is replaced by what: each has `find` or `match`, and `with`. Where several match, the one that begins first counts, of those that begin
   * alike the first in this list.
   */
  rules: prop.list(
    prop.record({
      /** A text. */
      find: prop.string({ minLength: 1 }),
      /**
       * A regular expression: as in JavaScript, without back references, `^`, `$`, `\b` and looking around. It takes time in proportion to the content,
       * times what a match may be long (`maxMatchSize`) at the worst, and looks at characters, not at lines; `.` takes no line end.
       */
      match: prop.string({ minLength: 1 }),
      /** What stands in its place; `$1` to `$9` stand for the groups of `match`, and `$$` for a dollar there. */
      with: prop.template({ required: true }),
      /** Are ASCII letters alike, large or small? */
      ignoreCase: prop.bool({ default: false }),
    }),
    { required: true, min: 1, max: 100, reload: "live" },
  ),
  /** Media types of the answers that are searched. */
  types: prop.strings({ default: ["text/html"], pattern: mediaTypePattern, reload: "live" }),
  /** So many are replaced in one answer; the rest of it stays as it is. */
  maxCount: prop.integer({ default: 10_000, min: 1, reload: "live" }),
  /** A text that is longer than this, in bytes, does not match. So much of an answer is held back at most. */
  maxMatchSize: prop.size({ default: "1K", min: 1, max: "64K", reload: "live" }),
  /** Values of variables are written as text into HTML and XML, whatever they hold. Without it, a client could write markup into a page. */
  escape: prop.bool({ default: true, reload: "live" }),
};

type ReplaceProps = PropsOf<typeof props>;

/**
 * Replaces text in the content of answers, wherever it is cut into pieces, in their charset. Parts of a content (206), what is coded, and what
 * `cache-control: no-transform` forbids to change, are left as they are; so that there are none of the former two, requests for such types are
 * answered whole and plain. The entity tag becomes a weak one; if a `with` has variables, it is left out together with `last-modified`.
 */
export const replace = defineReviser({
  sign: "replace",
  props,
  check(context) {
    for (const [i, { find, match }] of context.props.rules.entries()) {
      if ((find === undefined) === (match === undefined)) {
        context.report({ prop: "rules", message: `.rules[${i}] has either "find" or "match"` });
        return;
      }
    }
    try {
      programsOf(context.props);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      context.report({ prop: "rules", message: `.rules: ${error.message}` });
    }
  },
  create: (context): ReviserPart => new Replace(context),
});

class Replace implements ReviserPart {
  readonly rank = replaceRank;
  readonly #context: Context<ReplaceProps>;
  #plan: Plan;

  constructor(context: Context<ReplaceProps>) {
    this.#context = context;
    this.#plan = planOf(context.props);
  }

  update(): void {
    this.#plan = planOf(this.#context.props);
  }

  reviseRequest(req: Request): undefined {
    req.demandPlainContent(this.#plan.isListed);
  }

  reviseResponse(req: Request, resp: Response): ContentFilter | undefined {
    const { programs, replacements } = this.#plan;
    const form = beginTextChange(resp, this.#plan);
    if (form === undefined) return undefined;
    const { escape, maxCount, maxMatchSize } = this.#context.props;
    const replacers = replacements.map((replacement) => replacement.for(req, form, escape));
    return new ReplaceFilter(programs[form.charset], replacers, { maxCount, maxMatchSize });
  }
}

/** What follows from the props. */
interface Plan {
  readonly programs: Readonly<Record<Charset, Program>>;
  readonly replacements: readonly Replacement[];
  readonly isConstant: boolean;
  readonly isListed: (contentType: string | undefined) => boolean;
}

function planOf(props: ReplaceProps): Plan {
  const replacements = props.rules.map((rule) => new Replacement(rule.with, rule.match !== undefined));
  return {
    programs: programsOf(props),
    replacements,
    isConstant: props.rules.every((rule) => rule.with.parts.every((part) => typeof part === "string")),
    isListed: mediaTypeSet(props.types),
  };
}

/** Throws PatternError. */
function programsOf({ rules }: ReplaceProps): Plan["programs"] {
  const patterns = rules.map(({ find, match, ignoreCase }): Pattern => {
    if (match !== undefined) return { node: parsePattern(match), ignoreCase };
    return { node: { kind: "sequence", nodes: [{ kind: "text", text: find ?? "" }] }, ignoreCase };
  });
  return { utf8: compilePatterns(patterns, "utf8"), latin1: compilePatterns(patterns, "latin1") };
}
