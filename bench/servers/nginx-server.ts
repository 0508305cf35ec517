// nginx with its DAV module: files in place, never flushed, no signatures and no hashing. What a server in C that does
// least reaches, as a view beyond our own limit. Own configuration and prefix; never the system's service. Without
// `tcp_nopush`, which holds small answers back for 40 ms.

import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { startChildServer, withChildren } from './child-server.ts';
import { findProgram } from './find-program.ts';
import { bucketNames, type PeerServer } from './peer-server.ts';

/** `undefined` with a reason on stderr when there is no nginx with DAV on this machine. */
export async function startNginx({ directory }: { readonly directory: string }): Promise<PeerServer | undefined> {
  const nginx = await findProgram('nginx');
  if (nginx === undefined || !(await promisify(execFile)(nginx, ['-V'])).stderr.includes('http_dav_module')) {
    process.stderr.write('SKIPPED: nginx with its DAV module is not installed (Debian: nginx-light).\n');
    return undefined;
  }
  await mkdir(join(directory, 'files', bucketNames.bucket), { recursive: true });
  await mkdir(join(directory, 'temporary'), { recursive: true });
  const path = join(directory, 'nginx.conf');
  const server = await startChildServer({
    name: 'nginx',
    file: '/bin/sh',
    // The configuration names the port, which is known only here; exec keeps the pid.
    args: (port) => [
      '-c',
      `printf '%s' "$1" > "$2" && exec "$3" -e stderr -p "$4" -c "$2" -g 'daemon off;'`,
      'nginx',
      ...[configuration(directory, port), path, nginx, directory],
    ],
  });
  await writeFile(join(directory, 'files', 'ready'), '');
  return {
    name: 'nginx DAV',
    durability: 'none: never flushed',
    endpoint: server.endpoint,
    ...bucketNames,
    credentials: undefined,
    pids: () => withChildren(server.pid),
    abilities: new Set(['objects', 'ranges']),
    putStatuses: [201, 204],
    etagIsMd5: false,
    stop: server.stop,
  };
}

function configuration(directory: string, port: number): string {
  // Started by root it would serve as another user, who may not write here.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `${user}
worker_processes 2;
pid ${directory}/pid;
error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nodelay on;
  keepalive_requests 100000000;
  keepalive_timeout 600s;
  client_max_body_size 0;
  client_body_temp_path ${directory}/temporary;
  proxy_temp_path ${directory}/temporary;
  fastcgi_temp_path ${directory}/temporary;
  uwsgi_temp_path ${directory}/temporary;
  scgi_temp_path ${directory}/temporary;
  server {
    listen 127.0.0.1:${port};
    root ${directory}/files;
    default_type application/octet-stream;
    location / { dav_methods PUT DELETE; create_full_put_path on; dav_access user:rw; }
  }
}
`;
}
