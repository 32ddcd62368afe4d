// Bundles the pages of the web UI from one folder into another: build-pages.mjs src/webui/page dist/page
//
// A browser loads one module in place of ten, which is what a first view waits for longest. The folder of the sources
// works as it is, too: it is served where a program runs from the sources.
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rolldown } from "rolldown";

const [from = "", to = ""] = process.argv.slice(2);

const bundle = await rolldown({ input: join(from, "app.js"), platform: "browser" });
await bundle.write({ file: join(to, "app.js"), format: "esm", minify: true, codeSplitting: false });
await bundle.close();

// What loads the modules of the bundle ahead is of no use any more.
const ahead = /^ *<(?:link rel="modulepreload" href="[^"]+" \/|script type="module" src="[^"]+" async><\/script)>\n/gm;
writeFileSync(join(to, "index.html"), readFileSync(join(from, "index.html"), "utf8").replace(ahead, ""));
for (const file of ["style.css", "icon.svg"]) cpSync(join(from, file), join(to, file));
