// `npm start [-- ARGUMENTS]`: sets the workspace up if need be, then serves the example until it is told to end.
import { failSetup, setup } from "./setup.mjs";
import { supervise } from "./supervise.mjs";
import { bin, root } from "./workspace.mjs";

const folder = "examples/welcome";
const welcome = ["serve", "--config", `${folder}/welcome.conf`, "--base", folder, "--use", `${folder}/welcome.ts`];

await setup().catch(failSetup);
process.exitCode = await supervise(bin("hemi"), [...welcome, ...process.argv.slice(2)], { cwd: root });
