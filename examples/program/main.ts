// The program: `npm start` serves, `npm start reload` and the other commands steer what runs.

import { main } from "@hemi/procman";

await main({ title: "weather", config: "conf/weather.conf", use: ["./pack.ts"] });
