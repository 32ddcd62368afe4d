// The form in which text is written into content.

import { Buffer } from "node:buffer";
import { type Template, compileTemplate, type Request, webVariables } from "@hemi/internal";
import type { Charset } from "./pattern/program.ts";

export interface TextForm {
  readonly charset: Charset;
  /** HTML or XML: `<` and `&` mean something. */
  readonly isMarkup: boolean;
}

/**
 * By a `content-type`. `undefined` for a charset in which bytes of ASCII can be parts of other characters, or that is
 * not known.
 */
export function textFormOf(contentType: string): TextForm | undefined {
  const [, name = "utf-8"] = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(contentType) ?? [];
  const charset = charsets.get(name.toLowerCase());
  return charset === undefined ? undefined : { charset, isMarkup: /^[^;]*[/+](?:html|xml)\b/i.test(contentType) };
}

const charsets: ReadonlyMap<string, Charset> = new Map([
  ["utf-8", "utf8"],
  ["utf8", "utf8"],
  ["us-ascii", "utf8"],
  ["iso-8859-1", "latin1"],
  ["iso8859-1", "latin1"],
  ["latin1", "latin1"],
  ["windows-1252", "latin1"],
]);

/** Text with variables, as bytes of a content. */
export class TextTemplate {
  /** The same for every request. */
  readonly isConstant: boolean;
  readonly #parts: readonly (string | ((req: Request) => string))[];

  constructor(template: Template) {
    this.isConstant = template.constant !== undefined;
    this.#parts = template.parts.map((part) =>
      typeof part === "string" ? part : compileTemplate({ parts: [part], constant: undefined }, webVariables),
    );
  }

  /** `isEscaped`: what variables have is no markup, whatever clients send. */
  render(req: Request, { charset, isMarkup }: TextForm, isEscaped: boolean): Buffer {
    let text = "";
    for (const part of this.#parts) {
      if (typeof part === "string") text += part;
      else text += isMarkup && isEscaped ? escapeMarkup(part(req)) : part(req);
    }
    return encode(text, { charset, isMarkup });
  }
}

/** As text, and within quotes. */
export function escapeMarkup(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** What the charset lacks becomes a reference to the character in markup, and `?` elsewhere. */
export function encode(text: string, { charset, isMarkup }: TextForm): Buffer {
  if (charset === "utf8") return Buffer.from(text);
  const known = text.replace(/[^\0-\xff]/gu, (character) =>
    isMarkup ? `&#${character.codePointAt(0) ?? 0x3f};` : "?",
  );
  return Buffer.from(known, "latin1");
}
