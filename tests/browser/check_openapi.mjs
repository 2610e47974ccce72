// The description of the API is OpenAPI 3.1. usage: node check_openapi.mjs MODULES FILE; exit status 77: there is no validator.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [modules, file] = process.argv.slice(2).map((p) => path.resolve(p));
let Validator;
try {
  ({ Validator } = await import(pathToFileURL(createRequire(modules + "/").resolve("@seriousme/openapi-schema-validator"))));
} catch (reason) {
  console.log("skipped: " + reason.message.split("\n")[0]);
  process.exit(77);
}
const validator = new Validator();
const result = await validator.validate(JSON.parse(fs.readFileSync(file, "utf8")));
console.log(result.valid ? `valid, OpenAPI ${validator.version}` : JSON.stringify(result.errors, null, 1).slice(0, 4000));
process.exit(result.valid && validator.version === "3.1" ? 0 : 1);
