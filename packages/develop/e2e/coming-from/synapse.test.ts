// Matrix Synapse, by the configuration of its guide, beside nginx, Caddy, Apache and HAProxy.

import { testTranslation } from "./translation.ts";

const lines = [
  "GET /_matrix/client/versions",
  "GET /_matrix/client/v3/rooms/%21a%3Amatrix.example/state/m.room%2Fx?at=a%20b",
  "PUT /_matrix/client/v3/rooms/x/send/m.room.message/1 content-length=2000000",
  "GET /_synapse/client/oidc/callback?state=1",
  "GET /_matrix/none?status=404",
];
const ofFile = ["GET /.well-known/matrix/client"];
const fields = ["content-type", "access-control-allow-origin"];

testTranslation({
  page: "synapse.md",
  host: "matrix.example",
  places: { "127.0.0.1:8008": "app synapse" },
  told: ["host", "x-forwarded-for", "x-forwarded-proto"],
  explained: [
    ["GET /.well-known/matrix/client", "webapp.matrix/rule.where it is 200"],
    ["GET /_matrix/client/versions", "webapp.matrix/rule.Synapse/httpProxy"],
    ["GET /_synapse/client/oidc/callback", "webapp.matrix/rule.Synapse/httpProxy"],
    ["GET /_synapse/admin/v1/users", "404"],
    ["GET /", "404"],
  ],
  compared: [
    {
      nginx: `location ~ ^(/_matrix|/_synapse/client) {
          proxy_pass http://127.0.0.1:8008; proxy_http_version 1.1; client_max_body_size 50M;
          proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
          proxy_set_header Host $host;
        }
        location = /.well-known/matrix/client {
          default_type application/json; add_header Access-Control-Allow-Origin *;
          return 200 '{"m.homeserver": {"base_url": "https://matrix.example"}}';
        }
        location / { return 404; }`,
      lines: [...lines, "GET /_synapse/admin/v1/users"],
    },
    {
      caddy: `reverse_proxy /_matrix/* 127.0.0.1:8008
        reverse_proxy /_synapse/client/* 127.0.0.1:8008
        header /.well-known/matrix/* Content-Type application/json
        header /.well-known/matrix/* Access-Control-Allow-Origin *
        respond /.well-known/matrix/client \`{"m.homeserver": {"base_url": "https://matrix.example"}}\``,
      lines: ofFile,
      fields,
    },
    {
      caddy: `reverse_proxy /_matrix/* 127.0.0.1:8008
        reverse_proxy /_synapse/client/* 127.0.0.1:8008`,
      lines,
    },
    {
      apache: `AllowEncodedSlashes NoDecode
        ProxyPreserveHost on
        RequestHeader set X-Forwarded-Proto http
        ProxyPass /_matrix http://127.0.0.1:8008/_matrix nocanon
        ProxyPass /_synapse/client http://127.0.0.1:8008/_synapse/client nocanon`,
      lines,
    },
    {
      haproxy: `frontend matrix
          bind :80
          http-request set-header X-Forwarded-Proto http
          http-request set-header X-Forwarded-For %[src]
          acl matrix-path path_beg /_matrix
          acl matrix-path path_beg /_synapse/client
          use_backend matrix if matrix-path
        backend matrix
          server matrix 127.0.0.1:8008`,
      lines,
    },
  ],
});
