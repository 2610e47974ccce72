#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/hash/hash.h"

static struct dt_bytes of(const char *text)
{
	return (struct dt_bytes){ (const uint8_t *)text, strlen(text) };
}

/* FIPS 180-2, appendix B. */
static void sha256_of_known_texts(void **state)
{
	char text[2 * DT_SHA256_SIZE + 1];
	char *million = malloc(1000000);
	(void)state;
	dt_sha256_text(of("abc"), text);
	assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	dt_sha256_text(of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), text);
	assert_string_equal(text, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	dt_sha256_text((struct dt_bytes){ NULL, 0 }, text);
	assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_non_null(million);
	memset(million, 'a', 1000000);
	dt_sha256_text((struct dt_bytes){ (const uint8_t *)million, 1000000 }, text);
	assert_string_equal(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(million);
}

/* RFC 1321, A.5. */
static void md5_of_known_texts(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "d41d8cd98f00b204e9800998ecf8427e" },
		{ "abc", "900150983cd24fb0d6963f7d28e17f72" },
		{ "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
	};
	uint8_t digest[DT_MD5_SIZE];
	struct dt_buf buf;
	(void)state;
	dt_buf_init(&buf, 100);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		dt_md5(of(cases[i].in), digest);
		dt_buf_reset(&buf);
		dt_buf_hexbytes(&buf, (struct dt_bytes){ digest, sizeof digest });
		assert_string_equal(dt_buf_text(&buf), cases[i].out);
	}
	dt_buf_deinit(&buf);
}

/* FIPS 180's own example, and nothing. */
static void sha1_of_known_texts(void **state)
{
	static const uint8_t abc[DT_SHA1_SIZE] = { 0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e,
		                                   0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d };
	uint8_t digest[DT_SHA1_SIZE];

	(void)state;
	dt_sha1((struct dt_bytes){ (const uint8_t *)"abc", 3 }, digest);
	assert_memory_equal(digest, abc, sizeof(abc));
	dt_sha1((struct dt_bytes){ NULL, 0 }, digest);
	assert_int_equal(digest[0], 0xda);
	assert_int_equal(digest[19], 0x09);
}

/* RFC 4231, cases 1, 2 and 6 (a key longer than a block). */
static void hmac_of_known_texts(void **state)
{
	uint8_t key[131];
	char text[2 * DT_SHA256_SIZE + 1];

	(void)state;
	memset(key, 0x0b, 20);
	dt_hmac_sha256_text((struct dt_bytes){ key, 20 }, of("Hi There"), text);
	assert_string_equal(text, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	dt_hmac_sha256_text(of("Jefe"), of("what do ya want for nothing?"), text);
	assert_string_equal(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	dt_hmac_sha256_text((struct dt_bytes){ key, sizeof(key) }, of("Test Using Larger Than Block-Size Key - Hash Key First"), text);
	assert_string_equal(text, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void pieces_are_the_whole(void **state)
{
	struct dt_hasher *hasher = dt_hasher_create();
	char text[2 * DT_SHA256_SIZE + 1], whole[2 * DT_SHA256_SIZE + 1];

	(void)state;
	dt_hasher_add(hasher, of("a"));
	dt_hasher_add(hasher, (struct dt_bytes){ NULL, 0 });
	dt_hasher_add(hasher, of("bc"));
	dt_hasher_text(hasher, text);
	dt_sha256_text(of("abc"), whole);
	assert_string_equal(text, whole);
	dt_hasher_free(hasher);
}

static void secrets(void **state)
{
	char a[129], b[129];

	(void)state;
	assert_true(dt_equal_secret("abc", "abc"));
	assert_false(dt_equal_secret("abc", "abd"));
	assert_false(dt_equal_secret("abc", "ab"));
	dt_random_hex(64, a);
	dt_random_hex(64, b);
	assert_int_equal(strlen(a), 128);
	assert_int_equal(strspn(a, "0123456789abcdef"), 128);
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_of_known_texts),
		cmocka_unit_test(md5_of_known_texts),
		cmocka_unit_test(sha1_of_known_texts),
		cmocka_unit_test(hmac_of_known_texts),
		cmocka_unit_test(pieces_are_the_whole),
		cmocka_unit_test(secrets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
