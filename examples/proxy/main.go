// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Proxy makes a private Gemma endpoint available on this machine, for programs
// that know nothing of Google identity:
//
//	go run ./examples/proxy -endpoint https://gemma-abc123-ew.a.run.app
//	curl http://127.0.0.1:9090/api/tags
//
// It does what `gcloud run services proxy` does, without gcloud. Any Google
// credential will do, a person's `gcloud auth application-default login`
// included.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gemma-go/sdk/auth"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch err := run(ctx, os.Args[1:], os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "proxy:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. What it says goes to out.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("proxy", flag.ContinueOnError)
	flags.SetOutput(out)
	var (
		endpoint    = flags.String("endpoint", os.Getenv("GEMMA_ENDPOINT"), "`URL` of the service (default $GEMMA_ENDPOINT)")
		listen      = flags.String("listen", "127.0.0.1:9090", "`address` to listen on")
		audience    = flags.String("audience", "", "the token's audience (default: the endpoint's origin)")
		credentials = flags.String("credentials", "", "credential `file` (default: Application Default Credentials)")
		impersonate = flags.String("impersonate", "", "`email` of a service account to impersonate")
		gcloud      = flags.Bool("gcloud", false, "use the account that gcloud is logged in with")
		public      = flags.Bool("public", false, "send no token")
		hosts       = flags.String("allow-host", "", "comma-separated `names` under which other machines may call; they get this machine's identity")
	)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *endpoint == "" {
		return errors.New("no endpoint: give -endpoint or set GEMMA_ENDPOINT")
	}
	opts := &auth.ProxyOptions{}
	if *hosts != "" {
		opts.Hosts = strings.Split(*hosts, ",")
	}
	if err := checkListen(*listen, opts.Hosts); err != nil {
		return err
	}

	aud, err := auth.Audience(*endpoint)
	if err != nil {
		return err
	}
	var src auth.Source
	asked := *audience != "" || *credentials != "" || *impersonate != "" || *gcloud
	if !*public && (asked || strings.HasPrefix(aud, "https:")) { // a model server on loopback http wants no token
		aud = cmp.Or(*audience, aud)
		src, err = auth.Google(aud, &auth.GoogleOptions{
			CredentialsFile:           *credentials,
			ImpersonateServiceAccount: *impersonate,
			GCloud:                    *gcloud,
		})
		if err != nil {
			return err
		}
	}
	handler, err := auth.NewProxyWithOptions(*endpoint, src, opts)
	if err != nil {
		return err
	}

	l, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "http://%s → %s\n", l.Addr(), *endpoint)
	if src != nil {
		go sayIdentity(ctx, src, out)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 30 * time.Second}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second) // for streams under way
		defer cancel()
		if server.Shutdown(grace) != nil {
			server.Close()
		}
	})
	err = server.Serve(l)
	if !errors.Is(err, http.ErrServerClosed) {
		stop()
		return err
	}
	<-ended
	return nil
}

// checkListen keeps the proxy to this machine unless the caller says who else
// may use it.
func checkListen(address string, hosts []string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("-listen: %w", err)
	}
	ip := net.ParseIP(host)
	if host == "localhost" || ip != nil && ip.IsLoopback() || len(hosts) > 0 {
		return nil
	}
	return fmt.Errorf("-listen %s is open to other machines, which would call with this machine's identity: "+
		"listen on 127.0.0.1, or name the hosts that may be called with -allow-host", address)
}

// sayIdentity gets the first token while nobody waits, and says whose it is or
// what is missing.
func sayIdentity(ctx context.Context, src auth.Source, out io.Writer) {
	tok, err := src.Token(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		fmt.Fprintln(out, err)
	default:
		fmt.Fprintf(out, "calling as %s, audience %s\n", tok.Principal, tok.Audience)
	}
}
