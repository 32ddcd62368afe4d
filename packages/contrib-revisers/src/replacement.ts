// What stands in place of a match.

import { compileTemplate, type Request, type Template, webVariables } from "@hemi/internal";
import { encode, escapeMarkup, type TextForm } from "./text-form.ts";

/** Makes the bytes for one match, whose groups it can ask for. */
export type Replacer = (group: (index: number) => Buffer) => readonly Buffer[];

/** Text, what a variable has, or the number of a group. */
type Part = string | ((req: Request) => string) | number;

export class Replacement {
  readonly #parts: readonly Part[];

  /** `hasGroups`: `$1` to `$9` stand for the groups of a match, `$$` for a dollar. */
  constructor({ parts }: Template, hasGroups: boolean) {
    this.#parts = parts.flatMap((part): readonly Part[] => {
      if (typeof part !== "string") return [compileTemplate({ parts: [part], constant: undefined }, webVariables)];
      return hasGroups ? readGroups(part) : [part];
    });
  }

  /** For the matches of one answer. `isEscaped`: see TextTemplate. Groups are content, and stay what they are. */
  for(req: Request, form: TextForm, isEscaped: boolean): Replacer {
    const parts = this.#parts.map((part) => {
      if (typeof part === "number") return part;
      if (typeof part === "string") return encode(part, form);
      return encode(form.isMarkup && isEscaped ? escapeMarkup(part(req)) : part(req), form);
    });
    return (group) => parts.map((part) => (typeof part === "number" ? group(part) : part));
  }
}

function readGroups(text: string): readonly Part[] {
  return text.split(/(\$[1-9$])/).map((part) => {
    if (part === "$$") return "$";
    return /^\$[1-9]$/.test(part) ? Number(part[1]) : part;
  });
}
