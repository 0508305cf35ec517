// Every setting of `stowage serve` and `stowage start`, as one table. A setting has the same name in the file, where dots are
// levels, and in the documentation; the environment has its own names, and options of the command line win over both.
// docs/configuration.md is generated from it. What a policy, an issuer or a limit is, the file service's own interfaces say.

import { contentFindings, tenantRoleNames, uploadMeans } from '@stowage/contract';
import { defaultLimits, type FilesLimits, knownEndpoints, seals } from '@stowage/files';
import { z } from 'zod';
import { logFormats, logLevels } from '../option-values.ts';
import type { Setting } from './setting.ts';

const both = ['serve', 'start'] as const;
const serve = ['serve'] as const;
const start = ['start'] as const;

const port = z.int().min(0).max(65_535);
const flag = z.boolean();
const text = z.string().min(1).max(4_096);
const names = z.array(text).max(100);
const whole = (min: number, max: number) => z.int().min(min).max(max);
const httpUrl = z
  .url({ protocol: /^https?$/, error: 'it is no address; begin it with http:// or https://', abort: true })
  .max(2_048);

/** `new URL(…).origin` of an address that is nothing more. */
const origin = httpUrl.refine((value) => {
  const { pathname, search, hash } = new URL(value);
  return pathname === '/' && search === '' && hash === '';
}, 'it has a path; give scheme, host and port alone');

const pattern = z.union([
  z.instanceof(RegExp),
  z.string().transform((source, context) => {
    try {
      return new RegExp(source, 'u');
    } catch (error) {
      context.addIssue(error instanceof Error ? error.message : String(error));
      return z.NEVER;
    }
  }),
]);

const policy = z.strictObject({
  types: names.exactOptional(),
  extensions: names.exactOptional(),
  maxSizeBytes: z.int().min(0).exactOptional(),
  minSizeBytes: z.int().min(0).exactOptional(),
  namePattern: pattern.exactOptional(),
  scan: z.enum(['required', 'when-available', 'off']).exactOptional(),
  keepVersions: z.int().min(0).exactOptional(),
  retentionMs: z.int().min(0).exactOptional(),
  content: z.partialRecord(z.enum(contentFindings), z.enum(['reject', 'mark'])).exactOptional(),
  stripMetadata: flag.exactOptional(),
  strategies: z.array(z.enum(uploadMeans)).min(1).exactOptional(),
  userQuotaBytes: z.int().min(0).exactOptional(),
});

const role = z.enum(tenantRoleNames);
const issuer = z.strictObject({
  issuer: httpUrl,
  audience: text.exactOptional(),
  jwks: z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })) }).exactOptional(),
  jwksUrl: httpUrl.exactOptional(),
  algorithms: names.exactOptional(),
  clockSkewSeconds: whole(0, 600).exactOptional(),
  tenantId: text.exactOptional(),
  tenants: names.exactOptional(),
  claims: z
    .strictObject({
      tenant: text.exactOptional(),
      user: text.exactOptional(),
      name: text.exactOptional(),
      email: text.exactOptional(),
      role: text.exactOptional(),
    })
    .exactOptional(),
  roles: z.record(text, role).exactOptional(),
  newUserRole: role.exactOptional(),
  signIn: z
    .strictObject({ name: text, clientId: text, clientSecret: text.exactOptional(), scope: text.exactOptional() })
    .exactOptional(),
});

// Object.keys of a value of a closed interface gives that interface's keys.
const limitNames = Object.keys(defaultLimits) as [keyof FilesLimits, ...(keyof FilesLimits)[]];
const limits = z.strictObject(
  // Object.fromEntries over all names of the interface makes a record of them all.
  Object.fromEntries(limitNames.map((name) => [name, z.int().min(0).exactOptional()])) as Record<
    keyof FilesLimits,
    z.ZodExactOptional<z.ZodInt>
  >,
);

export const settings = {
  host: {
    summary: 'The address to listen at. `0.0.0.0` is every address of the machine.',
    expected: 'a host name or an address without scheme and port',
    variable: 'STOWAGE_HOST',
    schema: z
      .string()
      .regex(/^[^\s/@?#]+$/)
      .max(253),
    default: '`127.0.0.1`, this machine alone',
    commands: both,
  },
  port: {
    summary: 'The port of file service and console.',
    expected: 'a port from 1 to 65535, or 0 for any free one',
    variable: 'STOWAGE_PORT',
    text: 'number',
    schema: port,
    default: '`3000`',
    commands: both,
  },
  publicUrl: {
    summary:
      'Where people reach the service: what links, sign-in and the bucket’s CORS rule name. Give it wherever a proxy stands before the service.',
    expected: 'an address such as https://files.example.com, without a path',
    variable: 'STOWAGE_PUBLIC_URL',
    schema: origin,
    default: 'host and port',
    commands: both,
  },
  allowedOrigins: {
    summary: 'Pages of other origins that may call the API with cookies and send bytes to the bucket.',
    expected: 'a list of addresses such as https://app.example.com, without paths',
    variable: 'STOWAGE_ALLOWED_ORIGINS',
    text: 'list',
    schema: z.array(origin).max(100),
    default: 'none',
    commands: both,
  },
  trustedProxies: {
    summary:
      'Proxies whose `X-Forwarded-For` is believed. Requests from elsewhere are known by the address of their connection, whatever they say.',
    expected: 'a list of addresses, of ranges such as 10.0.0.0/8, or the word loopback or private',
    variable: 'STOWAGE_TRUSTED_PROXIES',
    text: 'list',
    schema: names,
    default: 'none',
    commands: both,
  },
  console: {
    summary: 'Whether the console is served at `/`. Without it there is the API alone.',
    expected: 'true or false',
    variable: 'STOWAGE_CONSOLE',
    text: 'boolean',
    schema: flag,
    default: '`true`',
    commands: serve,
  },
  data: {
    summary:
      'The folder for what the service keeps by itself: a database of SQLite and the secret, where neither is given. `start` keeps everything there.',
    expected: 'the path of a folder',
    variable: 'STOWAGE_DATA',
    schema: text,
    default: '`./data`',
    commands: both,
  },
  secret: {
    summary:
      'What the service signs with: the marks in object keys, links, seals of kept secrets. The same for the life of the bucket and for all instances. Losing it makes every stored file foreign.',
    expected: 'at least 32 random bytes, in hex or base64 (openssl rand -hex 32)',
    variable: 'STOWAGE_SECRET',
    schema: z.string().refine((value) => decodeSecret(value) !== undefined),
    default: 'made once and kept beside the database, with SQLite; required with PostgreSQL',
    secret: true,
    commands: serve,
  },
  shutdownSeconds: {
    summary:
      'After SIGTERM or Ctrl-C, how long running requests and jobs may take to end. What has not ended then is given back, and done by the next start or another instance.',
    expected: 'a whole number from 0 to 3600',
    variable: 'STOWAGE_SHUTDOWN_SECONDS',
    text: 'number',
    schema: whole(0, 3_600),
    default: '`30` (`serve`), `600` (`start`, whose engine may be taking bytes)',
    unit: 'seconds',
    commands: both,
  },
  's3.endpoint': {
    summary: 'The S3 endpoint, as the service reaches it.',
    expected: 'an address such as https://s3.example.com:9000, without the bucket',
    variable: 'STOWAGE_S3_ENDPOINT',
    otherVariable: 'AWS_ENDPOINT_URL_S3',
    schema: origin,
    default: 'Amazon S3 in `s3.region`',
    commands: serve,
  },
  's3.publicEndpoint': {
    summary: 'The same endpoint as browsers and other clients reach it. Signed addresses name this one.',
    expected: 'an address such as https://s3.example.com, without the bucket',
    variable: 'STOWAGE_S3_PUBLIC_ENDPOINT',
    schema: origin,
    default: '`s3.endpoint`',
    commands: serve,
  },
  's3.bucket': {
    summary: 'The bucket. It may hold other things: keys that are not the service’s own are never touched.',
    expected: 'the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens',
    variable: 'STOWAGE_BUCKET',
    schema: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
    default: '**required**',
    commands: serve,
  },
  's3.region': {
    summary: 'The region that requests are signed for.',
    expected: 'a region such as eu-central-1',
    variable: 'AWS_REGION',
    otherVariable: 'AWS_DEFAULT_REGION',
    schema: z.string().regex(/^[a-z0-9-]{1,64}$/i),
    default: '`us-east-1`',
    commands: serve,
  },
  's3.accessKeyId': {
    summary:
      'The access key. Without one, it is looked for where the AWS SDK looks: a profile, single sign-on, a container’s or an instance’s role; what ends is fetched anew in time.',
    expected: 'an access key, with s3.secretAccessKey',
    variable: 'AWS_ACCESS_KEY_ID',
    schema: z.string().regex(/^[\w.-]{3,128}$/),
    default: 'the SDK’s own search',
    commands: serve,
  },
  's3.secretAccessKey': {
    summary: 'Its secret.',
    expected: '8 to 128 visible ASCII characters',
    variable: 'AWS_SECRET_ACCESS_KEY',
    schema: z.string().regex(/^[\x21-\x7e]{8,128}$/),
    secret: true,
    commands: serve,
  },
  's3.sessionToken': {
    summary:
      'The token of temporary keys. Such keys end, and addresses signed with them end then too: a role is better.',
    expected: 'the token that came with the keys',
    variable: 'AWS_SESSION_TOKEN',
    schema: z.string().regex(/^[\x21-\x7e]{1,8192}$/),
    secret: true,
    commands: serve,
  },
  's3.profile': {
    summary: 'The profile of `~/.aws/config` and `~/.aws/credentials` to take keys from.',
    expected: 'the name of a profile',
    variable: 'AWS_PROFILE',
    schema: text,
    default: '`default`',
    commands: serve,
  },
  's3.pathStyle': {
    summary: 'Whether the bucket stands in the path (`host/bucket/key`) and not in the host name.',
    expected: 'true or false',
    variable: 'STOWAGE_S3_PATH_STYLE',
    text: 'boolean',
    schema: flag,
    default: '`true`, but `false` for Amazon S3',
    commands: serve,
  },
  's3.createBucket': {
    summary: 'Whether a bucket that is missing is made.',
    expected: 'true or false',
    variable: 'STOWAGE_CREATE_BUCKET',
    text: 'boolean',
    schema: flag,
    default: '`true`',
    commands: serve,
  },
  's3.kind': {
    summary:
      'What the endpoint is, where that is known: what differs from what is known of it is logged. See endpoints.md.',
    expected: `one of ${Object.keys(knownEndpoints).join(', ')}`,
    variable: 'STOWAGE_S3_KIND',
    schema: z.enum(Object.keys(knownEndpoints) as [keyof typeof knownEndpoints]),
    default: 'found by trying',
    commands: serve,
  },
  's3.probing': {
    summary:
      'Whether the endpoint may be tried out, by small requests under `probes/` that are removed again. `forbidden` relies on what is known of `s3.kind`.',
    expected: 'allowed or forbidden',
    variable: 'STOWAGE_S3_PROBING',
    schema: z.enum(['allowed', 'forbidden']),
    default: '`allowed`',
    commands: serve,
  },
  's3.seals': {
    summary: 'By what means the bytes that were judged may be made the bytes that are served. See endpoints.md.',
    expected: `a list of ${seals.join(', ')}`,
    variable: 'STOWAGE_S3_SEALS',
    text: 'list',
    schema: z.array(z.enum(seals)).min(1),
    default: 'all, the cheapest first',
    commands: serve,
  },
  'database.url': {
    summary:
      'PostgreSQL 15 or later, for one instance or several; or the path of a file of SQLite, for one instance. It may hold a password and is never shown.',
    expected: 'postgres://user:password@host:port/database, or the path of a file',
    variable: 'DATABASE_URL',
    schema: z.string().refine((value) => /^postgres(ql)?:\/\/./.test(value) || !/^[a-z][a-z0-9+.-]+:\/\//i.test(value)),
    default: '`files/files.sqlite` in `data`',
    secret: true,
    commands: serve,
  },
  'database.maxConnections': {
    summary: 'Connections of this instance to PostgreSQL.',
    expected: 'a whole number from 1 to 1000',
    variable: 'STOWAGE_DATABASE_CONNECTIONS',
    text: 'number',
    schema: whole(1, 1_000),
    default: '`10`',
    commands: serve,
  },
  'clamd.address': {
    summary:
      'A running clamd. With one, nothing can be downloaded before it was scanned; without one, nothing is scanned, and the start says so.',
    expected: 'host:port, or the absolute path of a Unix socket',
    variable: 'CLAMD',
    schema: z.string().regex(/^(\/.+|(tcp:\/\/)?(\[[0-9a-fA-F:]+\]|[^\s/:]+):\d{1,5})$/),
    default: 'none: files are not scanned',
    commands: both,
  },
  'clamd.maxConnections': {
    summary: 'Files scanned at the same time. clamd’s own `MaxThreads` must not be smaller.',
    expected: 'a whole number from 1 to 100',
    variable: 'STOWAGE_CLAMD_CONNECTIONS',
    text: 'number',
    schema: whole(1, 100),
    default: '`4`',
    commands: both,
  },
  policies: {
    summary:
      'What may be uploaded, by category: `types`, `extensions`, `maxSizeBytes`, `minSizeBytes`, `namePattern`, `scan`, `keepVersions`, `retentionMs`, `content`, `stripMetadata`, `strategies`, `userQuotaBytes`. See content.md.',
    expected: 'an object of policies by category',
    variable: 'STOWAGE_POLICIES',
    text: 'json',
    schema: z.record(z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/), policy),
    default: 'anything, in the category `default`',
    commands: both,
  },
  limits: {
    summary: 'Limits of the file service, by name, in the unit that ends the name. See the list below.',
    expected: 'an object of whole numbers by the name of a limit',
    variable: 'STOWAGE_LIMITS',
    text: 'json',
    schema: limits,
    default: 'each has its own',
    commands: both,
  },
  issuers: {
    summary:
      'Whose tokens are taken, and where people can sign in beside here (OIDC), by a name that stands in addresses. See access.md. It may hold client secrets and is never shown.',
    expected: 'an object of issuers by name',
    variable: 'STOWAGE_ISSUERS',
    text: 'json',
    schema: z.record(z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/i), issuer),
    default: 'none',
    secret: true,
    commands: both,
  },
  'reconcile.everyHours': {
    summary:
      'How often the whole bucket is compared with the database without anybody asking. 0: never. See file-service.md.',
    expected: 'a whole number from 0 to 8760',
    variable: 'STOWAGE_RECONCILE_EVERY_HOURS',
    text: 'number',
    schema: whole(0, 8_760),
    default: '`168`, once a week',
    unit: 'hours',
    commands: both,
  },
  'reconcile.mend': {
    summary:
      'Whether such a comparison mends what it finds, which may remove bytes that no row knows of. Otherwise it only tells.',
    expected: 'true or false',
    variable: 'STOWAGE_RECONCILE_MEND',
    text: 'boolean',
    schema: flag,
    default: '`false`',
    commands: both,
  },
  auditDownloads: {
    summary: 'Whether the audit log tells of downloads too: a write for each.',
    expected: 'true or false',
    variable: 'STOWAGE_AUDIT_DOWNLOADS',
    text: 'boolean',
    schema: flag,
    default: '`false`',
    commands: both,
  },
  allowPrivateWebhooks: {
    summary: 'Whether webhooks may go to plain http and to addresses of private networks.',
    expected: 'true or false',
    variable: 'STOWAGE_ALLOW_PRIVATE_WEBHOOKS',
    text: 'boolean',
    schema: flag,
    default: '`false`',
    commands: both,
  },
  'eventsIn.secret': {
    summary: 'What whoever posts S3 events to `/internal/s3-events` must show. Without it nobody may.',
    expected: '16 to 256 visible ASCII characters',
    variable: 'STOWAGE_EVENTS_SECRET',
    schema: z.string().regex(/^[\x21-\x7e]{16,256}$/),
    default: 'none',
    secret: true,
    commands: serve,
  },
  'eventsIn.queueUrl': {
    summary: 'A queue of SQS that S3 events come in by.',
    expected: 'the URL of a queue',
    variable: 'STOWAGE_EVENTS_QUEUE_URL',
    schema: httpUrl,
    default: 'none',
    commands: serve,
  },
  'eventsIn.queueRegion': {
    summary: 'The region of that queue.',
    expected: 'a region such as eu-central-1',
    variable: 'STOWAGE_EVENTS_QUEUE_REGION',
    schema: z.string().regex(/^[a-z0-9-]{1,64}$/i),
    default: '`s3.region`',
    commands: serve,
  },
  'telemetry.endpoint': {
    summary:
      'Where traces go: a collector that takes OTLP over HTTP (JSON). `/v1/traces` is added. Traces are off without it, and their code is not loaded.',
    expected: 'an address such as http://127.0.0.1:4318',
    variable: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    schema: httpUrl,
    default: 'none: no traces',
    commands: both,
  },
  'telemetry.headers': {
    summary: 'Headers for the collector, such as a key.',
    expected: 'name=value, with commas between',
    variable: 'OTEL_EXPORTER_OTLP_HEADERS',
    schema: z
      .string()
      .regex(/^[\w-]+=[^,]*(,[\w-]+=[^,]*)*$/)
      .max(8_192),
    default: 'none',
    secret: true,
    commands: both,
  },
  'telemetry.serviceName': {
    summary: 'What the service is called in traces.',
    expected: 'a name',
    variable: 'OTEL_SERVICE_NAME',
    schema: text,
    default: '`stowage`',
    commands: both,
  },
  'telemetry.sampleRatio': {
    summary:
      'The share of traces begun here that is kept. A trace that a caller began is kept when the caller keeps it.',
    expected: 'a number from 0 to 1',
    variable: 'OTEL_TRACES_SAMPLER_ARG',
    text: 'number',
    schema: z.number().min(0).max(1),
    default: '`1`',
    commands: both,
  },
  'log.format': {
    summary: 'How lines of the log look, on standard error.',
    expected: logFormats.join(' or '),
    variable: 'STOWAGE_LOG_FORMAT',
    schema: z.enum(logFormats),
    default: '`pretty` on a terminal, else `json`',
    commands: both,
  },
  'log.level': {
    summary: 'The least that is logged. `debug` tells of every request.',
    expected: `one of ${logLevels.join(', ')}`,
    variable: 'STOWAGE_LOG_LEVEL',
    schema: z.enum(logLevels),
    default: '`info`',
    commands: both,
  },
  'engine.port': {
    summary: 'The port of the S3 endpoint of `start`.',
    expected: 'a port from 1 to 65535, or 0 for any free one',
    variable: 'STOWAGE_S3_PORT',
    text: 'number',
    schema: port,
    default: '`9000`',
    commands: start,
  },
  'engine.accessKeyId': {
    summary: 'The access key of the engine’s root account.',
    expected: '3 to 128 letters, digits, underscores, dots or hyphens, with engine.secretAccessKey',
    variable: 'STOWAGE_ACCESS_KEY_ID',
    schema: z.string().regex(/^[\w.-]{3,128}$/),
    default: 'made once and kept in `data`',
    commands: start,
  },
  'engine.secretAccessKey': {
    summary: 'Its secret.',
    expected: '8 to 128 visible ASCII characters',
    variable: 'STOWAGE_SECRET_ACCESS_KEY',
    schema: z.string().regex(/^[\x21-\x7e]{8,128}$/),
    default: 'made once and kept in `data`',
    secret: true,
    commands: start,
  },
  'engine.scrubRate': {
    summary: 'Bytes of stored data that are checked each second in the background. 0: none.',
    expected: 'a whole number',
    text: 'number',
    schema: z.int().min(0),
    default: '`8388608`',
    unit: 'bytes per second',
    commands: start,
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof settings;
// Object.keys of a closed table gives its keys.
export const settingNames: readonly SettingName[] = Object.keys(settings) as SettingName[];

/** What was given, by name; checked, and absent where nothing was. */
export type Settings = {
  readonly [Name in SettingName]?: z.output<(typeof settings)[Name]['schema']>;
};

type Nested<Name extends string, Value> = Name extends `${infer Head}.${infer Rest}`
  ? { readonly [Key in Head]?: Nested<Rest, Value> }
  : { readonly [Key in Name]?: Value };
type Intersection<Union> = (Union extends unknown ? (part: Union) => void : never) extends (whole: infer All) => void
  ? All
  : never;
/** What the file may say of one setting: a secret may lie in a file of its own. */
type Given<Row extends Setting> = Row extends { readonly secret: true }
  ? z.input<Row['schema']> | { readonly file: string }
  : z.input<Row['schema']>;

/** What a configuration file holds: `export default {…} satisfies StowageConfiguration`. */
export type StowageConfiguration = Intersection<
  { [Name in SettingName]: Nested<Name, Given<(typeof settings)[Name]>> }[SettingName]
>;

const minSecretBytes = 32;

/** The bytes of a secret that was given as text; `undefined` when it is none, or too short. */
export function decodeSecret(value: string): Uint8Array | undefined {
  const given = value.trim();
  const bytes = /^([0-9a-f]{2})+$/i.test(given)
    ? Buffer.from(given, 'hex')
    : /^[A-Za-z0-9+/_-]+={0,2}$/.test(given)
      ? Buffer.from(given, 'base64')
      : undefined;
  return bytes !== undefined && bytes.length >= minSecretBytes ? bytes : undefined;
}
