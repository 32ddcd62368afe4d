// The syntax tree of a configuration. The parser makes it from text; TypeScript objects are converted to it. It
// contains what was written and where. It does not know kinds, definitions or types of props.

/** One text that contains specs: a file, a string for `bootText`, or a TypeScript object. */
export interface SpecSource {
  /** Its name in errors: a path as the user wrote it, or a label such as `<text>`. */
  readonly name: string;
  /** The whole text; `undefined` for a TypeScript object, whose errors give the component's path instead of a line. */
  readonly text: string | undefined;
}

/** A range of a source, in UTF-16 code units: `start` inclusive, `end` exclusive. */
export interface SourceSpan {
  readonly source: SpecSource;
  readonly start: number;
  readonly end: number;
}

/** `sign "name" condition { props and children }`. */
export interface ComponentSpec {
  readonly sign: string;
  readonly signSpan: SourceSpan;
  readonly name: string | undefined;
  readonly nameSpan: SourceSpan | undefined;
  readonly condition: ConditionSpec | undefined;
  readonly props: readonly PropSpec[];
  /** In the order of the text. Included components take the place of the include. */
  readonly children: readonly ComponentSpec[];
  readonly span: SourceSpan;
  /**
   * The parts that could not be read; this is already reported. `head`: name and condition. `body`: part of its
   * content.
   */
  readonly unread?: ReadonlySet<"head" | "body">;
}

/** `.name = value`. */
export interface PropSpec {
  /** Without the dot. */
  readonly name: string;
  /** Includes the dot. */
  readonly nameSpan: SourceSpan;
  readonly value: ValueSpec;
  readonly span: SourceSpan;
}

export type ValueSpec =
  | { readonly type: "bool"; readonly value: boolean; readonly span: SourceSpan }
  | { readonly type: "integer"; readonly value: number; readonly span: SourceSpan }
  /** In bytes. */
  | { readonly type: "size"; readonly value: number; readonly span: SourceSpan }
  /** In milliseconds. */
  | { readonly type: "duration"; readonly value: number; readonly span: SourceSpan }
  | { readonly type: "string"; readonly value: string; readonly span: SourceSpan }
  | { readonly type: "list"; readonly items: readonly ValueSpec[]; readonly span: SourceSpan }
  | { readonly type: "dict"; readonly entries: readonly DictEntrySpec[]; readonly span: SourceSpan }
  /** `%baseDir` */
  | { readonly type: "constant"; readonly name: string; readonly span: SourceSpan }
  /** `%env(NAME, "fallback")` */
  | {
      readonly type: "env";
      readonly variable: string;
      readonly fallback: string | undefined;
      readonly span: SourceSpan;
    }
  /** `.site`, the name without the dot */
  | { readonly type: "reference"; readonly name: string; readonly span: SourceSpan }
  /** `$method`, the name without the dollar */
  | { readonly type: "variable"; readonly name: string; readonly span: SourceSpan }
  /** `a + b + c`, at least two parts, none of them a `concat` */
  | { readonly type: "concat"; readonly parts: readonly ValueSpec[]; readonly span: SourceSpan }
  | UnreadSpec;

/** A value that could not be read; its problem is reported. */
export interface UnreadSpec {
  readonly type: "unread";
  readonly span: SourceSpan;
}

export interface DictEntrySpec {
  readonly key: string;
  readonly keySpan: SourceSpan;
  readonly value: ValueSpec;
}

/** A condition as written; `&&` binds tighter than `||`. */
export type ConditionSpec =
  | { readonly type: "and"; readonly operands: readonly ConditionSpec[]; readonly span: SourceSpan }
  | { readonly type: "or"; readonly operands: readonly ConditionSpec[]; readonly span: SourceSpan }
  | { readonly type: "not"; readonly operand: ConditionSpec; readonly span: SourceSpan }
  | {
      readonly type: "compare";
      /** Without the dollar. */
      readonly variable: string;
      readonly variableSpan: SourceSpan;
      readonly operator: CompareOperator;
      /** A string or a list of strings. References and constants are allowed and resolved like in a prop. */
      readonly pattern: ValueSpec;
      readonly span: SourceSpan;
    }
  | {
      readonly type: "presence";
      /** Without the dollar. */
      readonly variable: string;
      readonly variableSpan: SourceSpan;
      readonly operator: PresenceOperator;
      readonly span: SourceSpan;
    }
  | {
      readonly type: "fileTest";
      readonly operator: FileTestOperator;
      /** `-f "a.html"`: the path of a file, with or without variables. `undefined`: `$path -f`, below `.webRoot`. */
      readonly file: ValueSpec | undefined;
      readonly span: SourceSpan;
    }
  | UnreadSpec;

/** A list matches if any of its strings matches; with a negated operator, if none matches. */
export const compareOperators = [
  /** is equal to it */
  "==",
  /** is not equal to it */
  "!=",
  /** begins with it */
  "^=",
  /** does not begin with it */
  "!^",
  /** ends with it */
  "$=",
  /** does not end with it */
  "!$",
  /** contains it */
  "*=",
  /** does not contain it */
  "!*",
  /** matches it, a regular expression of JavaScript with the flags `s` and `u`: a dot matches line ends, too */
  "~=",
  /** does not match it */
  "!~",
  /** matches it, whatever the case of letters: with the flag `i`, too */
  "~*",
  /** does not match it, whatever the case of letters */
  "!~*",
  /** is an address of it: `10.0.0.0/8`, or one address; false for what is no IP address */
  "in",
  /** is no address of it */
  "!in",
] as const;
export type CompareOperator = (typeof compareOperators)[number];

/** They stand behind a variable, without a pattern. */
export const presenceOperators = [
  /** is there, even if it is empty */
  "exists",
  /** is not there */
  "!exists",
] as const;
export type PresenceOperator = (typeof presenceOperators)[number];

/** Behind `$path` they test the file at that path in `.webRoot`; before the path of a file, that file. */
export const fileTestOperators = [
  /** a file */
  "-f",
  /** a directory other than `/` */
  "-d",
  /** a file, or a directory other than `/` */
  "-e",
  /** a directory */
  "-D",
  /** a file or a directory */
  "-E",
  /** no file */
  "!f",
  /** no directory */
  "!d",
  /** neither a file nor a directory */
  "!e",
] as const;
export type FileTestOperator = (typeof fileTestOperators)[number];
