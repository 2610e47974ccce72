/* Signing in with a token, and out. */
#include <string.h>

#include "doors/serve/serve.h"

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= 0x20 || *text == '\\')
			return false;
	return true;
}

/* Where to go after signing in: an address of this server, and nothing else. */
static const char *back_of(const char *back)
{
	return back && back[0] == '/' && back[1] != '/' && back[1] != '\\' && is_plain(back) ? back : "/";
}

static void sign_in_page(struct dt_http_request *request, unsigned status, const char *problem, const char *back)
{
	struct dt_web_frame frame;
	char csrf[DT_CSRF_SIZE];
	struct dt_buf body;

	dt_page_begin(request, "Sign in", NULL, csrf, &frame, &body);
	dt_web_sign_in(&frame, problem, back_of(back), &body);
	dt_answer_page(request, status, &body);
}

void dt_handle_sign_in_page(struct dt_http_request *request)
{
	sign_in_page(request, 200, NULL, dt_http_query(request, "back"));
}

void dt_handle_sign_in(struct dt_http_request *request)
{
	const char *token = dt_http_field(request, "token"), *back = dt_http_field(request, "back");

	if (!dt_form_ok(request))
		return;
	if (dt_access_auth(dt_serve_of(request)->access) == DT_AUTH_TOKEN && token &&
	    dt_access_sign_in(dt_serve_of(request)->access, &dt_visit_of(request)->who, token))
		dt_answer_redirect(request, back_of(back));
	else
		sign_in_page(request, 403, "This token is not in force.", back);
}

void dt_handle_sign_out(struct dt_http_request *request)
{
	if (!dt_form_ok(request))
		return;
	dt_access_sign_out(dt_serve_of(request)->access, &dt_visit_of(request)->who);
	dt_answer_redirect(request, "/sign-in");
}
