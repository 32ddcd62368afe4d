// GitLab, by the configuration of its guide, beside nginx and Apache.

import { testTranslation } from "./translation.ts";

const lines = [
  "GET /",
  "GET /api/v4/projects/group%2Fproj?statistics=true",
  "POST /group/proj.git/git-receive-pack content-length=2000000",
  "GET /-/cable upgrade",
  "GET /none?status=404",
  "GET /busy?status=503",
];

testTranslation({
  page: "gitlab.md",
  host: "git.example",
  places: { "127.0.0.1:8181": "app workhorse", "/opt/gitlab/embedded/service/gitlab-rails/public": "files" },
  files: { "502.html": "<p>waiting for GitLab</p>", "503.html": "<p>deploying</p>" },
  told: ["host", "x-real-ip", "x-forwarded-for", "x-forwarded-proto"],
  explained: [
    ["GET /", "webapp.git/rule/httpProxy"],
    ["GET /api/v4/projects/group%2Fproj", "webapp.git/rule/httpProxy"],
    ["POST /group/proj.git/git-receive-pack", "webapp.git/rule/httpProxy"],
    ["GET /-/cable upgrade", "webapp.git/rule/httpProxy"],
    ["GET /502.html", "webapp.git/rule/httpProxy"],
  ],
  compared: [
    {
      http: 'map $http_upgrade $connection_upgrade { default upgrade; "" close; }',
      nginx: `root /opt/gitlab/embedded/service/gitlab-rails/public;
        location / {
          client_max_body_size 0; proxy_read_timeout 300; proxy_http_version 1.1;
          proxy_set_header Host $http_host; proxy_set_header X-Real-IP $remote_addr;
          proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
          proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
          proxy_pass http://127.0.0.1:8181;
        }
        error_page 502 /502.html;
        location = /502.html { internal; }`,
      lines,
    },
  ],
});
