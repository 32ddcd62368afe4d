// For tests: a program that stores responses on disk without end, until it is killed. Its argument is the folder.

import { cachedSite } from "./cached-site.ts";

const [, , folder = ""] = process.argv;
const site = await cachedSite(
  (req, resp) => {
    resp.setHeader("cache-control", "max-age=600");
    resp.send(`${req.path} `.repeat(20_000));
    return true;
  },
  "",
  { sign: "diskCacher", cacher: `.folder = "${folder}"` },
);
for (let round = 0; ; round++) {
  await Promise.all(Array.from({ length: 10 }, (_, i) => site.get(`/${round}/${i}`)));
}
