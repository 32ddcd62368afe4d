// Several things at home, by the configuration of its guide, beside Caddy.

import { testTranslation } from "./translation.ts";

const known = "authorization=Basic%20YW5uOnNlY3JldA%3D%3D";

testTranslation({
  page: "self-hosted.md",
  host: "home.example",
  places: { "127.0.0.1:8100": "app vault", "127.0.0.1:3100": "app git", "/srv/files": "files" },
  files: { "a b.txt": "text", "photos/1.jpg": "jpg" },
  told: ["host", "x-real-ip", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"],
  explained: [
    ["GET /files/a%20b.txt", "webapp.home/rule.files/basicAuth or webapp.home/rule.files/static"],
    [`GET /files/a%20b.txt ${known}`, "webapp.home/rule.files/basicAuth or webapp.home/rule.files/static"],
    ["GET /vault/notifications/hub upgrade", "webapp.home/rule.vault/httpProxy"],
    ["GET /git/ann/site", "webapp.home/rule.git/httpProxy"],
    ["GET /", "webapp.home/rule.nothing else 404"],
  ],
  compared: [
    {
      caddy: `encode gzip
        handle_path /files/* {
          basicauth {
            ann $2a$10$tyIK0VRuh6UR/akIDG63Kuyi6n7DRefF9xthUfdOjgI5VAFD7rzLy
          }
          root * /srv/files
          file_server browse
        }
        handle /vault/* {
          reverse_proxy 127.0.0.1:8100 {
            header_up X-Real-IP {remote_host}
          }
        }
        handle_path /git/* {
          reverse_proxy 127.0.0.1:3100
        }
        @blog path_regexp page ^/blog/(.*)$
        redir @blog https://blog.example/{re.page.1} 301
        handle {
          respond 404
        }`,
      lines: [
        "GET /",
        "GET /files/a%20b.txt",
        `GET /files/a%20b.txt ${known}`,
        `GET /files/photos/1.jpg ${known}`,
        `GET /files/none ${known}`,
        "GET /files/photos/1.jpg authorization=Basic%20YW5uOndyb25n",
        "GET /vault/notifications/hub upgrade",
        "POST /vault/api/ciphers content-length=2000000",
        "GET /git/ann/site?tab=1",
        "GET /git/ann%2Fsite",
        "GET /blog/2026/hello",
        "GET /none",
      ],
    },
  ],
});
