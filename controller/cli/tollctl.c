/* SPDX-License-Identifier: Apache-2.0 */

/* The command line: options, verbs, help. */

#include <config.h>
#include "controller/cli/tollctl.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "util.h"

/* Longer than "submit --wait" waits for hosts. */
#define DEFAULT_TIMEOUT_S 60

static const struct verb verbs[] = {
    { "validate", "FILE", 1, 1, 0,
      "check a document of any kind, and change nothing", do_validate },
    { "submit", "FILE", 1, 1, CTL_CHANGE,
      "make a customer's configuration the active one", do_submit },
    { "rollback", "CUSTOMER REVISION", 2, 2, CTL_CHANGE,
      "make an earlier revision the active one", do_rollback },
    { "delete", "CUSTOMER", 1, 1, CTL_CHANGE,
      "take a customer's configuration away", do_delete },
    { "history", "CUSTOMER", 1, 1, 0,
      "a customer's revisions", do_history },
    { "show", "[CUSTOMER [REVISION]]", 0, 2, 0,
      "the customers, or a customer's document", do_show },
    { "fabric submit", "FILE", 1, 1, CTL_CHANGE,
      "change hosts, attachment points and pins", do_fabric_submit },
    { "fabric show", "", 0, 0, 0,
      "the fabric's document", do_fabric_show },
    { "metrics submit", "FILE", 1, 1, 0,
      "give measured delay, use, loss and price", do_metrics_submit },
    { "metrics show", "", 0, 0, 0,
      "the metrics that are known", do_metrics_show },
    { "hosts", "", 0, 0, 0,
      "hosts, what they carry, and if it is applied", do_hosts },
    { "nodes", "[CUSTOMER]", 0, 1, 0,
      "nodes, where they should be and where they are", do_nodes },
    { "routes", "[CUSTOMER[/NETWORK[/ROUTER]]]", 0, 1, CTL_ALL,
      "the virtual routers' routes", do_routes },
    { "explain", "CUSTOMER/NETWORK/NODE ADDRESS", 2, 2, 0,
      "why packets go the way they go", do_explain },
    { "neighbors", "[CUSTOMER]", 0, 1, 0,
      "OSPF neighbors", do_neighbors },
    { "lsdb", "[CUSTOMER]", 0, 1, CTL_CONTENTS,
      "OSPF link state databases", do_lsdb },
    { "flows", "HOST", 1, 1, 0,
      "a host's flows, by table and object", do_flows },
    { "cookie", "COOKIE", 1, 1, 0,
      "the object that a flow's cookie names", do_cookie },
    { "counters", "", 0, 0, CTL_ALL,
      "packets by way, by reason of a drop, by punt", do_counters },
    { "status", "", 0, 0, 0,
      "how tollwayd, its store and its hosts are", do_status },
};

struct option_name {
    unsigned int bit;
    const char *name, *help;
};
static const struct option_name option_names[] = {
    { CTL_WAIT, "--wait", "until all hosts that can be reached have applied "
      "it" },
    { CTL_DRY_RUN, "--dry-run", "print what would change, and change "
      "nothing" },
    { CTL_IF_REVISION, "--if-revision=N", "only if N is active now (0: "
      "none)" },
    { CTL_CONTENTS, "--contents", "what the LSAs say" },
    { CTL_ALL, "--all", "refused routes, or counters that are 0, too" },
};

/* Help. */

static void
print_common_options(void)
{
    printf("  --json             JSON, as tollwayd says it\n"
           "  --as=CUSTOMER      as that customer sees it\n"
           "  --socket=PATH      tollwayd's socket (default: "
           "$TOLLWAY_SOCKET, or\n"
           "                     %s/api.sock)\n"
           "  --timeout=SECONDS  wait no longer for an answer (default: %d)\n"
           "  -h, --help         this text; after a verb, that verb's\n"
           "  -V, --version      version\n", TW_RUNDIR, DEFAULT_TIMEOUT_S);
}

static void
print_help(void)
{
    printf("tollctl: virtual routers with costs, on Open vSwitch\n"
           "usage: tollctl [OPTIONS] VERB [ARGUMENTS]\n\nverbs:\n");
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        char *call = xasprintf("%s %s", verbs[i].name, verbs[i].args);

        printf("  %-38s %s\n", call, verbs[i].help);
        free(call);
    }
    printf("\nFILE may be \"-\" for standard input.\n\noptions:\n");
    for (size_t i = 0; i < ARRAY_SIZE(option_names); i++) {
        printf("  %-18s %s\n", option_names[i].name, option_names[i].help);
    }
    print_common_options();
    printf("\nexit codes: 0 done, 1 refused or failed, 2 usage, 3 no answer "
           "from tollwayd,\n4 conflict, 5 stored but not confirmed by all "
           "hosts in time\n");
}

static void
print_verb_help(const struct verb *verb)
{
    printf("usage: tollctl %s%s%s%s\n%s\n\noptions:\n", verb->name,
           verb->options ? " [OPTIONS]" : "", *verb->args ? " " : "",
           verb->args, verb->help);
    for (size_t i = 0; i < ARRAY_SIZE(option_names); i++) {
        if (verb->options & option_names[i].bit) {
            printf("  %-18s %s\n", option_names[i].name,
                   option_names[i].help);
        }
    }
    print_common_options();
}

static int
usage_error(const struct verb *verb)
{
    complain("usage: tollctl %s%s%s%s", verb->name,
             verb->options ? " [OPTIONS]" : "", *verb->args ? " " : "",
             verb->args);
    return CTL_USAGE;
}

/* Verbs. */

/* Number of letters to insert, delete or replace to make 'a' of 'b'. */
static size_t
distance(const char *a, const char *b)
{
    size_t n = strlen(b);
    size_t row[64];

    if (n >= ARRAY_SIZE(row)) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= n; j++) {
        row[j] = j;
    }
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t replace = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            row[j] = MIN(replace, MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[n];
}

/* Complains about what is no verb, with the nearest one that is. */
static int
unknown_verb(char **args, size_t n)
{
    const struct verb *nearest = NULL;
    size_t least = SIZE_MAX;

    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        const char *space = strchr(verbs[i].name, ' ');
        char *given = (space && n > 1 ? xasprintf("%s %s", args[0], args[1])
                       : xstrdup(args[0]));
        char *name = (space && n == 1 ? xmemdup0(verbs[i].name,
                                                 space - verbs[i].name)
                      : xstrdup(verbs[i].name));
        size_t d = distance(given, name);

        if (d < least) {
            least = d;
            nearest = &verbs[i];
        }
        free(given);
        free(name);
    }
    if (nearest && least <= MAX(2, strlen(args[0]) / 2)) {
        bool two = n > 1 && strchr(nearest->name, ' ');

        complain("\"%s%s%s\" is no verb; do you mean \"%s\"? (tollctl --help "
                 "lists them)", args[0], two ? " " : "", two ? args[1] : "",
                 nearest->name);
    } else {
        complain("\"%s\" is no verb; tollctl --help lists them", args[0]);
    }
    return CTL_USAGE;
}

/* Finds the verb that the arguments begin with, and steps over it. */
static const struct verb *
find_verb(char ***args, size_t *n)
{
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        const char *name = verbs[i].name;
        const char *space = strchr(name, ' ');
        size_t first = space ? (size_t) (space - name) : strlen(name);

        if (*n > (space ? 1 : 0) && !strncmp((*args)[0], name, first)
            && !(*args)[0][first]
            && (!space || !strcmp((*args)[1], space + 1))) {
            *args += space ? 2 : 1;
            *n -= space ? 2 : 1;
            return &verbs[i];
        }
    }
    return NULL;
}

/* "fabric" alone: which verbs begin with that. */
static bool
is_half_a_verb(const char *word)
{
    size_t n = strlen(word);
    bool found = false;

    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        if (!strncmp(verbs[i].name, word, n) && verbs[i].name[n] == ' ') {
            found = true;
            usage_error(&verbs[i]);
        }
    }
    return found;
}

/* Options. */

enum {
    OPT_JSON = UCHAR_MAX + 1, OPT_AS, OPT_SOCKET, OPT_TIMEOUT, OPT_WAIT,
    OPT_DRY_RUN, OPT_IF_REVISION, OPT_CONTENTS, OPT_ALL,
};

/* What is to be done besides, or instead of, a verb. */
enum action { ACT_RUN, ACT_HELP, ACT_VERSION, ACT_BAD };

bool
parse_number(const char *s, const char *name, unsigned long long int max,
             unsigned long long int *value)
{
    char *end;

    errno = 0;
    *value = strtoull(s, &end, 10);
    if (*s < '0' || *s > '9' || *end || errno || *value > max) {
        complain("%s is \"%s\"; it is a number", name, s);
        return false;
    }
    return true;
}

static enum action
parse_option(struct ctl *ctl, int c)
{
    unsigned long long int n;

    switch (c) {
    case OPT_JSON:
        ctl->json = true;
        return ACT_RUN;
    case OPT_AS:
        ctl->as = optarg;
        return ACT_RUN;
    case OPT_SOCKET:
        ctl->socket = optarg;
        return ACT_RUN;
    case OPT_TIMEOUT:
        if (!parse_number(optarg, "--timeout", INT_MAX, &n)) {
            return ACT_BAD;
        }
        ctl->timeout_s = n;
        return ACT_RUN;
    case OPT_WAIT:
        ctl->options |= CTL_WAIT;
        return ACT_RUN;
    case OPT_DRY_RUN:
        ctl->options |= CTL_DRY_RUN;
        return ACT_RUN;
    case OPT_IF_REVISION:
        ctl->options |= CTL_IF_REVISION;
        ctl->if_revision = optarg;
        return (parse_number(optarg, "--if-revision", ULLONG_MAX, &n)
                ? ACT_RUN : ACT_BAD);
    case OPT_CONTENTS:
        ctl->options |= CTL_CONTENTS;
        return ACT_RUN;
    case OPT_ALL:
        ctl->options |= CTL_ALL;
        return ACT_RUN;
    case 'h':
        return ACT_HELP;
    case 'V':
        return ACT_VERSION;
    default:
        return ACT_BAD;
    }
}

static enum action
parse_options(struct ctl *ctl, int argc, char *argv[])
{
    static const struct option long_options[] = {
        {"json", no_argument, NULL, OPT_JSON},
        {"as", required_argument, NULL, OPT_AS},
        {"socket", required_argument, NULL, OPT_SOCKET},
        {"timeout", required_argument, NULL, OPT_TIMEOUT},
        {"wait", no_argument, NULL, OPT_WAIT},
        {"dry-run", no_argument, NULL, OPT_DRY_RUN},
        {"if-revision", required_argument, NULL, OPT_IF_REVISION},
        {"contents", no_argument, NULL, OPT_CONTENTS},
        {"all", no_argument, NULL, OPT_ALL},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    enum action action = ACT_RUN;
    int c;

    while ((c = getopt_long(argc, argv, ":hV", long_options, NULL)) != -1) {
        enum action a = parse_option(ctl, c);

        if (c == '?' || c == ':') {
            complain(c == ':' ? "%s needs a value"
                     : "\"%s\" is no option; tollctl --help lists them",
                     argv[optind - 1]);
        }
        if (a == ACT_BAD) {
            return ACT_BAD;
        }
        action = action == ACT_RUN ? a : action;
    }
    return action;
}

static int
check_usage(const struct ctl *ctl)
{
    unsigned int extra = ctl->options & ~ctl->verb->options;

    for (size_t i = 0; i < ARRAY_SIZE(option_names); i++) {
        if (extra & option_names[i].bit) {
            complain("tollctl %s has no option %.*s", ctl->verb->name,
                     (int) strcspn(option_names[i].name, "="),
                     option_names[i].name);
            return CTL_USAGE;
        }
    }
    if (ctl->n_args < ctl->verb->min_args
        || ctl->n_args > ctl->verb->max_args) {
        return usage_error(ctl->verb);
    }
    if ((ctl->options & (CTL_WAIT | CTL_DRY_RUN))
        == (CTL_WAIT | CTL_DRY_RUN)) {
        complain("a dry run changes nothing to wait for: --wait or --dry-run");
        return CTL_USAGE;
    }
    return CTL_OK;
}

static int
run_verb(struct ctl *ctl, enum action action)
{
    if (action == ACT_BAD) {
        return CTL_USAGE;
    } else if (action == ACT_VERSION) {
        printf("tollctl %s\n", PACKAGE_VERSION);
        return CTL_OK;
    } else if (action == ACT_HELP && !ctl->n_args) {
        print_help();
        return CTL_OK;
    } else if (!ctl->n_args) {
        complain("which verb? tollctl --help lists them");
        return CTL_USAGE;
    }

    ctl->verb = find_verb(&ctl->args, &ctl->n_args);
    if (!ctl->verb) {
        return (ctl->n_args == 1 && is_half_a_verb(ctl->args[0]) ? CTL_USAGE
                : unknown_verb(ctl->args, ctl->n_args));
    } else if (action == ACT_HELP) {
        print_verb_help(ctl->verb);
        return CTL_OK;
    }
    int code = check_usage(ctl);
    return code ? code : ctl->verb->run(ctl);
}

int
main(int argc, char *argv[])
{
    const char *socket = getenv("TOLLWAY_SOCKET");
    struct ctl ctl = {
        .socket = socket && *socket ? socket : TW_RUNDIR "/api.sock",
        .timeout_s = DEFAULT_TIMEOUT_S,
    };
    enum action action = parse_options(&ctl, argc, argv);

    ctl.args = argv + optind;
    ctl.n_args = argc - optind;
    int code = run_verb(&ctl, action);
    if (fflush(stdout) || ferror(stdout)) {
        complain("can't write to standard output: %s", strerror(errno));
        code = code ? code : CTL_FAILED;
    }
    return code;
}
