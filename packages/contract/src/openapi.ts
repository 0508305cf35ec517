// The OpenAPI 3.1 document, made from the contract's tables and schemas.

import { z } from 'zod';
import { problemSchema, problems } from './problem.ts';
import { problemsOf, type Route } from './routes/route.ts';
import { routes } from './routes.ts';

/** Plain JSON data, freshly made: of the contract's routes, unless others are given. */
export function openApiDocument(table: Readonly<Record<string, Route>> = routes): object {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, route] of Object.entries(table)) {
    const path = paths[route.path] ?? {};
    path[route.method.toLowerCase()] = operation(name, route);
    paths[route.path] = path;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Stowage file service',
      version: '1',
      description:
        'Uploads and downloads go straight to the bucket by signed URLs; this API hands them out and keeps the books.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: { Problem: jsonSchema(problemSchema, 'output') },
      securitySchemes: {
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'stowage_session',
          description:
            'Set by signing in. Where the public address has a port, the port follows the name, as in `stowage_session_3000`.',
        },
        apiKey: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key, or a token of an issuer that the service was told to trust.',
        },
      },
    },
  };
}

function operation(name: string, route: Route): object {
  const responses: Record<string, unknown> = { [route.status]: success(route) };
  const byStatus = new Map<number, string[]>();
  for (const code of problemsOf(route)) {
    const { status } = problems[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  for (const [status, codes] of byStatus) {
    // The codes are in the schema too, for those who generate their types from it.
    const known = { type: 'object', properties: { code: { enum: codes } } };
    const schema = { allOf: [{ $ref: '#/components/schemas/Problem' }, known] };
    responses[status] = {
      description: `Problem: ${codes.join(', ')}`,
      content: { 'application/problem+json': { schema } },
    };
  }
  return {
    operationId: name,
    summary: route.summary,
    security: securityOf(route),
    parameters: [...pathParameters(route), ...queryParameters(route), ...headerParameters(route)],
    ...(route.body === undefined
      ? {}
      : {
          requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(route.body, 'input') } } },
        }),
    responses,
  };
}

function securityOf({ access }: Route): object[] {
  if (access === 'public') return [];
  return access === 'person' ? [{ session: [] }] : [{ session: [] }, { apiKey: [] }];
}

function success(route: Route): object {
  if (route.status === 302) {
    return {
      description: 'Where to go on, for a short while: a URL at the bucket, or a page.',
      headers: { location: { required: true, schema: { type: 'string', format: 'uri' } } },
    };
  }
  if (route.produces !== undefined) {
    return {
      description: 'A stream of bytes.',
      content: { [route.produces]: { schema: { type: 'string', format: 'binary' } } },
    };
  }
  if (route.response === undefined) return { description: 'Done.' };
  return { description: 'Success.', content: { 'application/json': { schema: jsonSchema(route.response, 'output') } } };
}

function pathParameters(route: Route): object[] {
  return [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters(route: Route): object[] {
  if (route.query === undefined) return [];
  // Values that are coerced from text are described by what they become.
  const schema = jsonSchema(route.query, 'output');
  const properties = typeof schema.properties === 'object' && schema.properties !== null ? schema.properties : {};
  const required: readonly unknown[] = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema: property,
  }));
}

function headerParameters({ header }: Route): object[] {
  return header === undefined ? [] : [{ name: header, in: 'header', required: false, schema: { type: 'string' } }];
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, target: 'draft-2020-12' });
  return rest;
}
