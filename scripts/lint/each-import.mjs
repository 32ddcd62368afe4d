// Visits whatever imports something: `import`, `export … from`, `import()`, and types by `import("…")`.

/** ESLint visitors that call `check` with the node of each specifier, and its text. */
export function eachImport(check) {
  const visit = ({ source }) => {
    if (typeof source?.value === "string") check(source, source.value);
  };
  return {
    ImportDeclaration: visit,
    ExportNamedDeclaration: visit,
    ExportAllDeclaration: visit,
    ImportExpression: visit,
    TSImportType: visit,
  };
}
