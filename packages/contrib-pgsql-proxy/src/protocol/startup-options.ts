// The parameter `options` of a first message: arguments of a command line, of which a client may send those that set a
// parameter ("StartupMessage"; `PGOPTIONS` of libpq).

import { ProtocolError } from "./messages.ts";

/** `-c name=value`, `-cname=value` and `--name=value`. Throws a ProtocolError for anything else. */
export function readOptions(text: string): ReadonlyMap<string, string> {
  const params = new Map<string, string>();
  const words = wordsOf(text);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    const setting = word === "-c" ? words[++i] : /^(?:-c|--)(.+)$/s.exec(word)?.[1];
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(setting ?? "") ?? [];
    if (name === undefined || value === undefined) {
      throw new ProtocolError("options that are not of the form -c name=value or --name=value");
    }
    params.set(name.replaceAll("-", "_"), value);
  }
  return params;
}

/** White space separates them; a backslash takes the next character as it is. */
function wordsOf(text: string): readonly string[] {
  return [...text.matchAll(/(?:\\.|[^\s\\])+/gs)].map(([word]) => word.replace(/\\(.)/gs, "$1"));
}
