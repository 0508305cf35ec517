// npm run dev: everything restarts as you type. `stowage start` runs under node --watch, and beside it Vite serves the
// console with hot reloading and passes API calls on to it. Options after `--` go to `stowage start`:
//   npm run dev -- --data /tmp/try --port 3000
// The bucket's CORS rule names the address of `stowage start`: from Vite's address all works but sending bytes.
// Sign in once through the link that `stowage start` prints: the cookie is the host's, so both addresses share it.

import { spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const DEFAULT_SERVICE_PORT = '3000';
const CONSOLE_PORT = 5173;
/** What the file service answers; all else is the console's. */
const servicePaths = ['/v1', '/healthz', '/metrics'];

const root = fileURLToPath(new URL('../', import.meta.url));
const options = process.argv.slice(2);
const servicePort = options[options.indexOf('--port') + 1] ?? DEFAULT_SERVICE_PORT;
const target = `http://127.0.0.1:${options.includes('--port') ? servicePort : DEFAULT_SERVICE_PORT}`;

// Imported by address: Vite belongs to the console's package, and its types to the browser's configuration.
const { createServer } = await import('vite');
const pages = await createServer({
  root: fileURLToPath(new URL('../packages/console/', import.meta.url)),
  server: {
    host: '127.0.0.1',
    port: CONSOLE_PORT,
    proxy: Object.fromEntries(servicePaths.map((path) => [path, { target, changeOrigin: false }])),
  },
});
await pages.listen();

const service = spawn(
  process.execPath,
  ['--watch', '--watch-preserve-output', 'packages/cli/src/main.ts', 'start', ...options],
  { cwd: root, stdio: 'inherit' },
);
service.on('close', () => pages.close());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => service.kill(signal));
console.log(
  `\nConsole with hot reloading: http://127.0.0.1:${CONSOLE_PORT}/ (sign in through the link below, at either address)\n`,
);
