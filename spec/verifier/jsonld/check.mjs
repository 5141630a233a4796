// Checks exported JSON-LD with programs and vocabularies of others: that every
// name expands, without a network, to an IRI of the vocabulary that it is meant
// to be of, that nothing is lost on the way, that the bytes are canonical, and
// that properties stand where their vocabulary puts them.
//
//   npm ci --ignore-scripts && node check.mjs [FILE.json …]
//
// Without files it checks all vectors of the kind "export"; a file is an export.
import {readFileSync, readdirSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import canonicalize from 'canonicalize';
import jsonld from 'jsonld';
import n3 from 'n3';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const read = (...path) => readFileSync(join(here, ...path), 'utf8');

const ODRL = 'http://www.w3.org/ns/odrl/2/';
const SCHEMA = 'https://schema.org/';
const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';

// The terms that exports may have, with where each is defined.
const terms = new Set(read('terms.csv').trim().split('\n').slice(1).map(line => line.split(',')[0]));
const namespaces = [ODRL, SCHEMA, 'https://w3id.org/dpv', 'http://purl.org/dc/terms/', RDF];
const ours = iri => namespaces.some(ns => iri.startsWith(ns));

// schema.org's own statements: superclasses, and where properties belong.
const parents = new Map(), domains = new Map();
const file = join(dirname(require.resolve('@vocabulary/schema')), 'schema.nq');
for (const q of new n3.Parser({format: 'N-Quads'}).parse(readFileSync(file, 'utf8'))) {
	const note = (map, key, value) => map.set(key, [...(map.get(key) ?? []), value]);
	const name = term => term.value.replace(/^http:/, 'https:');
	if (q.predicate.value.endsWith('#subClassOf')) note(parents, name(q.subject), name(q.object));
	if (q.predicate.value.endsWith('schema.org/domainIncludes')) note(domains, name(q.subject), name(q.object));
}
const isA = (type, wanted) => type === wanted || (parents.get(type) ?? []).some(p => isA(p, wanted));

let failures = 0, checked = 0;
const fail = (name, text) => { failures++; console.log(`${name}: ${text}`); };

// The keys of a compact document that become properties.
const keywords = new Set(['@context', '@id', '@type', '@value', '@language', '@list', '@set', 'uid', 'type']);
function countKeys(value) {
	if (Array.isArray(value)) return value.reduce((n, v) => n + countKeys(v), 0);
	if (value === null || typeof value !== 'object' || value['@type'] === '@json') return 0;
	return Object.entries(value).reduce((n, [k, v]) => n + (keywords.has(k) ? 0 : 1) + (k === '@context' ? 0 : countKeys(v)), 0);
}
function countProperties(value) {
	if (Array.isArray(value)) return value.reduce((n, v) => n + countProperties(v), 0);
	if (value === null || typeof value !== 'object' || value['@type'] === '@json') return 0;
	return Object.entries(value).reduce((n, [k, v]) => n + (k.startsWith('@') ? 0 : 1) + countProperties(v), 0);
}

function walk(name, node, embedded) {
	if (Array.isArray(node)) return node.forEach(n => walk(name, n, embedded));
	if (node === null || typeof node !== 'object' || node['@type'] === '@json') return;
	const types = node['@value'] === undefined ? node['@type'] ?? [] : [];
	const known = iri => {
		if (!/^[a-z][a-z0-9+.-]*:/i.test(iri)) fail(name, `${iri} is no IRI`);
		else if (ours(iri) && !terms.has(iri)) fail(name, `${iri} is in no list of terms`);
	};
	types.forEach(known);
	if (node['@id'] && !node['@id'].startsWith('_:')) known(node['@id']);
	for (const [property, value] of Object.entries(node)) {
		if (property.startsWith('@')) continue;
		known(property);
		if (!ours(property) && !embedded) fail(name, `${property} is of another vocabulary`);
		if (property.startsWith(SCHEMA) && types.length > 0 && types.every(t => t.startsWith(SCHEMA)) &&
			!(domains.get(property) ?? []).some(d => types.some(t => isA(t, d)))) {
			fail(name, `${property} is no property of ${types}`);
		}
		walk(name, value, embedded || property === ODRL + 'inheritFrom');
	}
}

// What the ODRL Information Model 2.2 asks of an Agreement.
function policy(name, node) {
	const at = (n, p) => n[ODRL + p] ?? [];
	const one = (n, p) => { if (at(n, p).length !== 1) fail(name, `${at(n, p).length} of ${p}, not one`); };
	if (!(node['@type'] ?? []).includes(ODRL + 'Agreement')) fail(name, 'no Agreement');
	one(node, 'assigner');
	one(node, 'assignee');
	const rules = ['permission', 'prohibition', 'obligation'].flatMap(kind => at(node, kind).map(rule => [kind, rule]));
	if (rules.length === 0) fail(name, 'no rule');
	for (const [, rule] of rules) {
		one(rule, 'action');
		one(rule, 'target');
		for (const c of at(rule, 'constraint')) ['leftOperand', 'operator', 'rightOperand'].forEach(p => one(c, p));
	}
}

// The contexts of exports say of ODRL's terms what its own context says, but
// where that is at odds with the vocabulary.
const odd = new Set(['neq', 'industry', 'dataType', 'rightOperandReference', 'failure', 'ai', 'dpv', 'ieee-7012']);
function sameContext() {
	const official = JSON.parse(readFileSync(join(dirname(require.resolve('@digitalbazaar/odrl-context/package.json')), 'contexts/odrl.jsonld'), 'utf8'))['@context'];
	const expand = iri => { const [p, l] = iri.split(/:(.*)/); return typeof official[p] === 'string' && l !== undefined && !l.startsWith('//') ? official[p] + l : iri; };
	let same = 0;
	for (const line of read('..', '..', 'registry', 'odrl-context.csv').trim().split('\n').slice(1)) {
		const [term, iri, coercion] = line.split(',');
		if (odd.has(term)) continue;
		const o = official[term];
		const [id, type] = typeof o === 'string' ? [o, ''] : [o?.['@id'] ?? '', o?.['@type'] ?? ''];
		if (expand(id) !== iri || type !== coercion) fail('odrl-context.csv', `${term} is ${iri} ${coercion}, and ODRL's context has ${JSON.stringify(o)}`);
		else same++;
	}
	console.log(`odrl-context.csv: ${same} terms as in ODRL's own context`);
}

const documentLoader = url => { throw new Error(`it would have to fetch ${url}`); };
async function check(name, text) {
	checked++;
	const doc = JSON.parse(text);
	if (canonicalize(doc) !== text) fail(name, 'the bytes are not those of RFC 8785');
	let expanded;
	try {
		expanded = await jsonld.expand(doc, {documentLoader, safe: true}); // safe: an error where something would be dropped
		const quads = await jsonld.toRDF(doc, {documentLoader, safe: true});
		if (quads.length === 0) fail(name, 'it says nothing');
	} catch (e) {
		return fail(name, `${e.message} ${JSON.stringify(e.details ?? {}).slice(0, 300)}`);
	}
	if (expanded.length !== 1) fail(name, `${expanded.length} nodes at the top, not one`);
	const [keys, properties] = [countKeys(doc), countProperties(expanded)];
	if (keys !== properties) fail(name, `${keys} keys, ${properties} properties`);
	walk(name, expanded, false);
	if ((expanded[0]['@type'] ?? []).some(t => t.startsWith(ODRL))) policy(name, expanded[0]);
}

sameContext();
const files = process.argv.slice(2);
for (const f of files) await check(f, readFileSync(f, 'utf8'));
if (files.length === 0) {
	const folder = join(here, '..', '..', 'vectors', '11-exports');
	for (const f of readdirSync(folder).sort()) {
		const content = JSON.parse(readFileSync(join(folder, f), 'utf8'));
		for (const c of content.kind === 'export' ? content.cases : []) {
			if (c.out) await check(`${f}/${c.name}`, c.out.text);
		}
	}
}
console.log(`${checked - Math.min(failures, checked)} passed, ${failures} failed`);
process.exit(failures > 0 || checked === 0 ? 1 : 0);
