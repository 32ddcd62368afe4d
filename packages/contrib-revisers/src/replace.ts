// replace: replaces text in the content of responses.

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
   * The replacements: each has `find` or `match`, and `with`. If several match, the one that begins first is used; of
   * those that begin at the same place, the first in this list.
   */
  rules: prop.list(
    prop.record({
      /** A text to find. */
      find: prop.string({ minLength: 1 }),
      /**
       * A regular expression: as in JavaScript, without back references, `^`, `$`, `\b` and look-around. The time is
       * proportional to the content, in the worst case multiplied by the maximum length of a match (`maxMatchSize`). It
       * matches characters, not lines; `.` matches no line end.
       */
      match: prop.string({ minLength: 1 }),
      /** The replacement. `$1` to `$9` are the groups of `match`, and `$$` is a dollar sign. */
      with: prop.template({ required: true }),
      /** Whether upper and lower case of ASCII letters are equal. */
      ignoreCase: prop.bool({ default: false }),
    }),
    { required: true, min: 1, max: 100, reload: "live" },
  ),
  /** Media types of the responses to search. */
  types: prop.strings({ default: ["text/html"], pattern: mediaTypePattern, reload: "live" }),
  /** Maximum number of replacements in a response. The rest is left unchanged. */
  maxCount: prop.integer({ default: 10_000, min: 1, reload: "live" }),
  /** Maximum size of a match, in bytes. At most this much of a response is held back. */
  maxMatchSize: prop.size({ default: "1K", min: 1, max: "64K", reload: "live" }),
  /** Whether values of variables are escaped in HTML and XML. Without it, a client could inject markup into a page. */
  escape: prop.bool({ default: true, reload: "live" }),
};

type ReplaceProps = PropsOf<typeof props>;

/**
 * Replaces text in the content of responses, in their charset, even if it is split over pieces. Partial content (206),
 * encoded content, and content that `cache-control: no-transform` protects are left unchanged. To avoid the first two,
 * requests for such types are answered with complete and unencoded content. Strong entity tags become weak ones. If a
 * `with` contains variables, the entity tag and `last-modified` are removed.
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
