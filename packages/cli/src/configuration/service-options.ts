// What the settings say of the file service, as the service takes it. Nothing is decided here but defaults that depend on other
// settings; `serve` and `start` add where the bytes and the rows are.

import type { EndpointOptions, EventsInOptions, S3Settings, StartFileServiceOptions } from '@stowage/files';
import { isLoopback, reachableHost, urlAuthority } from '../addresses.ts';
import type { S3Credentials } from '../s3-credentials.ts';
import type { Settings } from './settings.ts';

const defaultRegion = 'us-east-1';
const defaultHost = '127.0.0.1';
const defaultPort = 3000;
const hourMs = 60 * 60_000;
const defaultServiceName = 'stowage';

export function listenAddress(settings: Settings): { readonly host: string; readonly port: number } {
  return { host: settings.host ?? defaultHost, port: settings.port ?? defaultPort };
}

/** What both commands have in common. */
export function serviceOptions(
  settings: Settings,
): Omit<StartFileServiceOptions, 's3' | 'database' | 'secret' | 'log' | 'consoleDirectory'> {
  const { host, port } = listenAddress(settings);
  const address = settings['clamd.address'];
  const atOnce = settings['clamd.maxConnections'];
  const endpoint = settings['telemetry.endpoint'];
  const ratio = settings['telemetry.sampleRatio'];
  const headers = settings['telemetry.headers'];
  const everyHours = settings['reconcile.everyHours'];
  const publicUrl = settings.publicUrl ?? reachableUrl(host, port);
  return {
    host,
    port,
    ...(publicUrl === undefined ? {} : { publicUrl: publicUrl.replace(/\/+$/, '') }),
    ...given(
      'allowedOrigins',
      settings.allowedOrigins?.map((url) => new URL(url).origin),
    ),
    ...given('trustedProxies', settings.trustedProxies),
    ...given('policies', settings.policies),
    ...given('limits', settings.limits),
    ...given('issuers', settings.issuers),
    reconcile: {
      ...given('everyMs', everyHours === undefined ? undefined : everyHours * hourMs),
      ...given('mend', settings['reconcile.mend']),
    },
    ...given('auditDownloads', settings.auditDownloads),
    ...given('allowPrivateWebhooks', settings.allowPrivateWebhooks),
    ...(address === undefined ? {} : { clamd: { address, ...given('maxConnections', atOnce) } }),
    ...(endpoint === undefined
      ? {}
      : {
          telemetry: {
            endpoint,
            serviceName: settings['telemetry.serviceName'] ?? defaultServiceName,
            ...given('sampleRatio', ratio),
            ...(headers === undefined ? {} : { headers: parseHeaders(headers) }),
          },
        }),
  };
}

/** Of an endpoint that is not our own. */
export function s3Settings(settings: Settings, credentials: S3Credentials): S3Settings {
  const region = settings['s3.region'] ?? defaultRegion;
  const endpoint = settings['s3.endpoint'] ?? `https://s3.${region}.amazonaws.com`;
  const isAmazon = /(^|\.)amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname);
  return {
    endpoint: endpoint.replace(/\/+$/, ''),
    region,
    bucket: settings['s3.bucket'] ?? '',
    credentials,
    forcePathStyle: settings['s3.pathStyle'] ?? !isAmazon,
    ...given('publicEndpoint', settings['s3.publicEndpoint']?.replace(/\/+$/, '')),
    ...given('createBucket', settings['s3.createBucket']),
  };
}

export function endpointOptions(settings: Settings): EndpointOptions {
  return {
    ...given('kind', settings['s3.kind']),
    ...given('probing', settings['s3.probing']),
    ...given('seals', settings['s3.seals']),
  };
}

export function eventsIn(settings: Settings): EventsInOptions {
  const queueUrl = settings['eventsIn.queueUrl'];
  const region = settings['eventsIn.queueRegion'] ?? settings['s3.region'] ?? defaultRegion;
  return {
    ...given('secret', settings['eventsIn.secret']),
    ...(queueUrl === undefined ? {} : { sqs: { queueUrl, region } }),
  };
}

/** The keys that were given; `undefined` when they are to be looked for. */
export function givenCredentials(settings: Settings): S3Credentials | undefined {
  const accessKeyId = settings['s3.accessKeyId'];
  const secretAccessKey = settings['s3.secretAccessKey'];
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, ...given('sessionToken', settings['s3.sessionToken']) };
}

/** One property, or none where there is no value. */
function given<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [Key in Name]?: Value } {
  // The object has the one property, or nothing.
  return (value === undefined ? {} : { [name]: value }) as { readonly [Key in Name]?: Value };
}

/** Only where links would otherwise name an address that no other machine reaches. */
function reachableUrl(host: string, port: number): string | undefined {
  return isLoopback(host) || port === 0 ? undefined : `http://${urlAuthority(reachableHost(host), port)}`;
}

function parseHeaders(text: string): Readonly<Record<string, string>> {
  // The schema has found a `=` in each.
  return Object.fromEntries(
    text
      .split(',')
      .map((pair) => [
        pair.slice(0, pair.indexOf('=')).trim(),
        decodeURIComponent(pair.slice(pair.indexOf('=') + 1).trim()),
      ]),
  );
}
