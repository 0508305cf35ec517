// Reading and writing XML: what is refused, what is tolerated, and that another parser sees the same.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { XmlElement as PeerElement, parseXml, XmlText } from '@rgrove/parse-xml';
import fc from 'fast-check';
import { childTexts, readXml, type XmlElement, type XmlLimits } from './xml-reader.ts';
import { escapeXml, writeDocument, writeElement } from './xml-writer.ts';

function read(text: string, limits?: XmlLimits): XmlElement {
  return readXml(Buffer.from(text), 'a', limits);
}

test('elements and text', () => {
  assert.deepEqual(read('<a/>'), { name: 'a', text: '', children: [] });
  assert.equal(
    read('\ufeff<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<!-- c --><?pi x?><a>t</a>\n').text,
    't',
  );
  assert.deepEqual(childTexts(read('<a><b> 1 </b><c/><b>2</b></a>'), 'b'), ['1', '2']);
  assert.equal(read('<a>1<b>x</b>2<!-- 3 --><![CDATA[<&]]>&amp;&#65;&#x42;&lt;</a>').text, '12<&&AB<');
  assert.equal(read('<a>x\r\ny\rz&#13;</a>').text, 'x\ny\nz\r');
  assert.equal(read('<a>&#x1;&#x1F600;</a>').text, '\u0001😀');
});

test('namespaces and attributes are dropped', () => {
  const tree = read('<s:a xmlns:s="http://s3.amazonaws.com/doc/2006-03-01/" x=\'1\' ><s:b y = "&quot;">1</s:b ></s:a>');
  assert.deepEqual(tree, { name: 'a', text: '', children: [{ name: 'b', text: '1', children: [] }] });
});

test('what is not well-formed is refused, with the place', () => {
  const bad = [
    '',
    ' ',
    'x',
    '<a>',
    '<a></b>',
    '<a></a',
    '<a',
    '<a b></a>',
    '<a b=1/>',
    '<a b="1" b="2"/>',
    '<a b="<"/>',
    '<a/><a/>',
    '<a/>x',
    '<a>&foo;</a>',
    '<a>&amp</a>',
    '<a>&</a>',
    '<a>&#0;</a>',
    '<a>&#xD800;</a>',
    '<a>&#x110000;</a>',
    '<a>]]></a>',
    '<a>\u0001</a>',
    '<a><!-- -- --></a>',
    '<a><!-- </a>',
    '<a><![CDATA[</a>',
    '<a><?xml x?></a>',
    '<1/>',
    '<a><b></a></b>',
    '<?xml version="1.0" encoding="UTF-16"?><a/>',
    '<?xml foo?><a/>',
    '<a><!ELEMENT b></a>',
    '<a b="&foo;"/>',
    '<ab></a>',
  ];
  for (const text of bad) assert.throws(() => read(text), { code: 'MalformedXML' }, text);
  assert.throws(() => readXml(Buffer.from([0x3c, 0x61, 0xff]), 'a'), { code: 'MalformedXML' });
  assert.throws(() => read('<b/>'), { code: 'MalformedXML', message: /is a b, expected was a a/ });
});

test('entities cannot be declared, so nothing expands', () => {
  const laughs = '<!DOCTYPE a [<!ENTITY l "lol"><!ENTITY m "&l;&l;&l;&l;">]><a>&m;</a>';
  assert.throws(() => read(laughs), { code: 'MalformedXML', message: /DOCTYPE/ });
  assert.throws(() => read(`<?xml version="1.0"?>\n<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>`), {
    code: 'MalformedXML',
  });
});

test('limits hold', () => {
  assert.throws(() => read('<a>12345</a>', { maxBytes: 11 }), { code: 'MaxMessageLengthExceeded' });
  assert.equal(read('<a>1234</a>', { maxBytes: 11 }).text, '1234');
  assert.throws(() => read(`${'<a>'.repeat(17)}${'</a>'.repeat(17)}`), { code: 'MalformedXML', message: /16 levels/ });
  assert.throws(() => read('<a>'.repeat(300_000), { maxDepth: 1e9 }), {
    code: 'MalformedXML',
    message: /100000 elements/,
  });
  assert.throws(() => read(`<a>${'<b/>'.repeat(3)}</a>`, { maxElements: 3 }), { code: 'MalformedXML' });
});

test('a hostile document costs time in proportion to its length', () => {
  const hostile = [
    `<a>${'&'.repeat(500_000)}`,
    `<a ${'b '.repeat(250_000)}`,
    `<a>${'<![CDATA['.repeat(100_000)}`,
    `<${'a'.repeat(1e6)}`,
    `<a${' '.repeat(1e6)}`,
  ];
  const startedAt = performance.now();
  for (const text of hostile) assert.throws(() => read(text, { maxBytes: 2e6 }), { code: 'MalformedXML' });
  assert.ok(performance.now() - startedAt < 2000, 'a few megabytes took more than two seconds');
});

test('what is written is read: any text, any control character but NUL', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed() && !text.includes('\0')),
      (text) => {
        const document = writeDocument('a', writeElement('b', text));
        assert.equal(readXml(Buffer.from(document), 'a').children[0]?.text, text);
      },
    ),
  );
  assert.equal(escapeXml('a\ud800b'), 'a\ufffdb');
  assert.equal(escapeXml('\u0001"<&>\r\n😀'), '&#x1;&quot;&lt;&amp;&gt;&#xd;\n😀');
});

test('a reader of all of XML sees the same, or both refuse', () => {
  const piece = fc.constantFrom(
    '<a>',
    '</a>',
    '<b>',
    '</b>',
    '<b/>',
    '<b c="1">',
    '<b c=\'&lt;\' d="2" />',
    'text',
    ' ',
    '\n',
    '&amp;',
    '&#65;',
    '&x;',
    '&',
    '<!-- c -->',
    '<![CDATA[d]]>',
    ']]>',
    '<?pi?>',
    '<?xml version="1.0"?>',
    '<',
    '>',
    '"',
    '=',
    '--',
    '😀',
    '\r',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = `<a>${pieces.join('')}</a>`;
      assert.deepEqual(
        outcome(() => read(text)),
        outcome(() => fromPeer(parseXml(text).root)),
        text,
      );
    }),
    { numRuns: 2000 },
  );
});

function outcome(run: () => XmlElement | undefined): XmlElement | 'refused' | undefined {
  try {
    return run();
  } catch {
    return 'refused';
  }
}

function fromPeer(element: PeerElement | null): XmlElement | undefined {
  if (element === null) return undefined;
  const texts = element.children.filter((node) => node instanceof XmlText).map((node) => node.text);
  const children = element.children.filter((node) => node instanceof PeerElement).map((node) => fromPeer(node));
  return { name: element.name, text: texts.join(''), children: children.filter((node) => node !== undefined) };
}
