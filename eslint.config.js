// What the linter holds: types used as they are meant, the architecture, and the habits of this code base.
import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";
import { arrowsRule } from "./scripts/lint/arrows-rule.mjs";
import { namesRule } from "./scripts/lint/names-rule.mjs";
import { roomsRule } from "./scripts/lint/rooms-rule.mjs";

const libraries = ["common", "rpc-client", "internal", "hemi", "contrib-*"].map(
  (name) => `packages/${name}/src/**/*.ts`,
);
const tests = ["**/*.test.ts", "packages/*/e2e/**/*.ts"];

export default defineConfig(
  // Templates are checked once they are what they become: scripts/new-contrib.test.mjs.
  globalIgnores(["**/dist/", "**/node_modules/", "**/.turbo/", ".toolchain/", "templates/"]),

  {
    plugins: { hemi: { rules: { arrows: arrowsRule, rooms: roomsRule, names: namesRule } } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: { "hemi/arrows": "error", "hemi/rooms": "error", "hemi/names": "error" },
  },

  // Lines of code and comments end by column 120; only what would lose its meaning in pieces may be longer: texts, and in
  // comments addresses, drawings and tables. Prettier wraps the prose of Markdown at the same column.
  {
    files: ["{packages,scripts,examples}/**/*.{ts,js,mjs}"],
    rules: {
      "max-len": [
        "error",
        {
          code: 120,
          ignoreUrls: true,
          ignoreStrings: true,
          ignoreTemplateLiterals: true,
          ignoreRegExpLiterals: true,
          ignorePattern: "^\\s*(?://|\\*) .*[─│└┌├]|^\\s*\\* \\|",
        },
      ],
    },
  },

  // Scripts and configuration: plain JavaScript, untyped.
  {
    files: ["**/*.{js,mjs}"],
    extends: [js.configs.recommended],
    languageOptions: {
      globals: Object.fromEntries(
        [
          "Buffer",
          "URL",
          "clearInterval",
          "clearTimeout",
          "console",
          "fetch",
          "performance",
          "process",
          "setInterval",
          "setTimeout",
        ].map((name) => [name, "readonly"]),
      ),
    },
  },

  // What is sent to a browser, whose names are not ours to list.
  { files: ["examples/*/web/**/*.js", "packages/procman/src/webui/page/*.js"], rules: { "no-undef": "off" } },

  {
    files: ["**/*.ts"],
    extends: [js.configs.recommended, tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    // One program over the whole workspace: the project service would make one for each package, all with Node's types
    // anew.
    languageOptions: { parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A type is imported as one: erasing the types of a file must leave a program that runs.
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "separate-type-imports" }],
      "@typescript-eslint/consistent-type-exports": "error",
      // Null and undefined tell more than falsehood does; `== null` is the one useful loose comparison, and we do not
      // need it.
      eqeqeq: "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      // A leading underscore says that a parameter is there for its place only.
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrorsIgnorePattern: "^_" },
      ],

      // Off or eased, because they annoy more than they find:
      // numbers and booleans read well in messages;
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      // so does a status beside a text;
      "@typescript-eslint/restrict-plus-operands": ["error", { allowNumberAndString: true }],
      // `return report(…)` and `() => socket.end()` are short ways to say "this, and no more";
      "@typescript-eslint/no-confusing-void-expression": "off",
      // what was caught is thrown on as it came;
      "@typescript-eslint/only-throw-error": ["error", { allowThrowingUnknown: true }],
      // byte loops run `for (;;)` or `while (true)` until they return;
      "@typescript-eslint/no-unnecessary-condition": ["error", { allowConstantLoopConditions: true }],
      // `void | Promise<void>`, "it may take its time", is a word of the component model;
      "@typescript-eslint/no-invalid-void-type": "off",
      // empty methods are how a part says "nothing to do here";
      "@typescript-eslint/no-empty-function": "off",
      // an interface and a type of one object shape are both fine, and an interface that only names another has its
      // use;
      "@typescript-eslint/consistent-type-definitions": "off",
      // index signatures and records are the same thing, and the parser's tables want a choice.
      "@typescript-eslint/consistent-indexed-object-style": "off",
      // A promise's void is often handed on as it is, and interfaces ask for a promise where nothing is awaited.
      "@typescript-eslint/require-await": "off",
      // The props of an empty schema are `{}`, and rightly so.
      "@typescript-eslint/no-generated-empty-object-type": "off",
      // Generic carriers (kinds, definitions) use a type once on purpose, to infer the rest.
      "@typescript-eslint/no-unnecessary-type-parameters": "off",
      // The compiler's own `noPropertyAccessFromIndexSignature` is off, so both spellings are read.
      "@typescript-eslint/dot-notation": "off",
      // Control characters stand in the patterns of a protocol on purpose.
      "no-control-regex": "off",
    },
  },

  // A library neither prints nor ends the process that it is a guest in: errors are thrown, and logs go to the stage's
  // log.
  {
    files: libraries,
    ignores: tests,
    rules: {
      "no-console": "error",
      "no-restricted-properties": [
        "error",
        {
          object: "process",
          property: "exit",
          message: "A library does not end the process: throw, and let the program decide.",
        },
      ],
    },
  },

  // Tests may reach for what they know is there, and stand in for things with less than the whole.
  {
    files: tests,
    rules: {
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/unbound-method": "off",
    },
  },

  // Examples and the private programs are read more than they are relied on.
  {
    files: ["examples/**/*.ts", "packages/{develop,bench}/**/*.ts"],
    rules: {
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unnecessary-condition": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
    },
  },
);
