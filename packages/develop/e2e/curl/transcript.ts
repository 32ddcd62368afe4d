// Transcripts of curl: read from Markdown, and compared with what a command prints.

/** One command with what it is to print. */
export interface Exchange {
  /** The heading that it stands under. */
  readonly title: string;
  /** Without the `$`, quotes resolved. */
  readonly args: readonly string[];
  readonly expected: Answer;
}

export interface Answer {
  /** Interim ones first. */
  readonly heads: readonly Head[];
  readonly content: string;
}

export interface Head {
  readonly status: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** Stands for any text, in a value and in content. */
const anything = "…";

/** The value of a field that is not to be there, as a transcript shows it: `vary: (none)`. */
const none = "(none)";

/** All commands of a page, in order. */
export function readTranscripts(page: string): Exchange[] {
  return page
    .split(/^## /m)
    .slice(1)
    .flatMap((section) => {
      const title = /^.*/.exec(section)?.[0] ?? "";
      const [, block = ""] = /^```console\n(.*?)^```$/ms.exec(section) ?? [];
      return block
        .split(/^\$ curl /m)
        .slice(1)
        .map((text) => {
          const [command = ""] = /^(?:.*\\\n)*.*\n/.exec(text) ?? [];
          return {
            title,
            args: splitArgs(command),
            expected: readAnswer(text.slice(command.length).replace(/\n$/, "")),
          };
        });
    });
}

/** What `curl -i` prints. */
export function readAnswer(text: string): Answer {
  const heads: Head[] = [];
  let rest = text.replaceAll("\r\n", "\n");
  while (/^HTTP\/\d/.test(rest)) {
    const [block = ""] = rest.split("\n\n", 1);
    rest = rest.slice(block.length).replace(/^\n{1,2}/, "");
    const [status = "", ...lines] = block.trimEnd().split("\n");
    heads.push({ status: status.trimEnd(), fields: lines.map(readField) });
    if (!/^HTTP\/\S+ 1\d\d/.test(status)) break;
  }
  return { heads, content: rest };
}

/** The answer as the transcript would show it: in its words wherever it is right. */
export function asExpected(actual: Answer, expected: Answer): Answer {
  return {
    heads: actual.heads.map((head, i) => {
      const asked = expected.heads[i]?.fields ?? [];
      return {
        status: head.status,
        fields: asked.map(([name, value]) => {
          const found = head.fields.filter(([other]) => other === name).map(([, value]) => value);
          return [name, matches(found.join(", ") || none, value) ? value : found.join(", ") || none] as const;
        }),
      };
    }),
    content: matches(actual.content.trimEnd(), expected.content.trimEnd()) ? expected.content : actual.content,
  };
}

function matches(text: string, pattern: string): boolean {
  const parts = pattern.split(anything).map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^]*")}$`).test(text);
}

function readField(line: string): readonly [string, string] {
  const [, name = "", value = ""] = /^([^:]*):\s*(.*)$/.exec(line.trimEnd()) ?? [];
  return [name.toLowerCase(), value];
}

/** As a shell does it, for single and double quotes, and lines that go on. */
function splitArgs(command: string): string[] {
  const words = command.replace(/\\\n/g, " ").match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  return words.map((word) => word.replace(/'([^']*)'|"([^"]*)"/g, (_, single, double) => String(single ?? double)));
}
