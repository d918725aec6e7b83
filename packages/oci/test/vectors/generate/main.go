// Makes ../gojson.json: what Go's encoding/json, image-spec's structs and containerd's check of documents make of JSON that is easily read in
// another way; and ../docker-save.json: what containerd imports from ../docker-save.tar. Run here, with the versions of go.mod:
//
//	go run . > ../gojson.json
//	node docker-save.mjs > ../docker-save.tar
//	go run . import ../docker-save.tar > ../docker-save.json
package main

import (
	"bytes"
	"context"
	_ "crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"os"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/images/archive"
	"github.com/containerd/containerd/v2/plugins/content/local"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Vector: the input's bytes, and what came out of it; nothing where it was refused.
type Vector struct {
	Kind   string  `json:"kind"`
	Input  string  `json:"input"`
	Output *string `json:"output,omitempty"`
}

const sha = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

var values = []string{
	``, ` `, `null`, ` true `, `false`, `tru`, `nullx`, `"a"`, `"a`, `[]`, `[ ]`, `{}`, `{ }`, `[1,2]`, `[1,]`, `[,1]`, `{"a":1,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1 "b":2}`,
	`[1 2]`, `1 2`, `{}{}`, "\ufeff{}", "{}\x00", "\t\r\n[1]\f", `0`, `-0`, `-`, `01`, `1.`, `.5`, `1.5`, `1e5`, `1E+05`, `1e`, `-1.5e-7`, `+1`, `1e400`,
	`9007199254740991`, `9007199254740992`, `9007199254740993`, `-9007199254740993`, `123456789012345678901234567890`, `0.1e1`, `100000000000000000000000`,
	`"\u0041\n\t\r\b\f\/\\\""`, `"\x"`, `"\u12"`, `"\u12G4"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ude00"`, `"\ud83d\u0041"`, `"\ud83d\ud83d\ude00"`, `"\ud83dx"`, `"\'"`,
	"\"\x01\"", "\"\n\"", "\"\x7f\"", "\"\u0080\u009f\"", "\"\u2028\u2029\"", `"<>&"`, "\"\xff\"", "\"\xc3\"", "\"\xe2\x82\"", "\"\xe2\x82a\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xc0\x80\"",
	"\"\xf0\x9f\x98\x80\"", "\"\xf0\x9f\x98\"", "\"\xf0\x80\x80\x80\"", "\"a\xffb\xfe\xfdc\"", "\"\xef\xbb\xbf\"", "\xff", "[\xff]", "{\"\xff\":1,\"\xfe\":2}",
	`{"2":1,"1":2,"a":3,"10":4}`, `{"__proto__":{"a":1},"constructor":2,"toString":3}`, `{"a":1,"a":2}`, `{"":1}`, "{\"\U0001F600\":1,\"\uffff\":2,\"\ue000\":3}", `{"b":{"b":[{"b":[]}]},"a":[[],{}]}`,
	`[null,true,false,0,"",[],{}]`, `{"a" : 1 , "b" : [ 1 , 2 ] }`, "\"\\u0000\\u001f\\u007f\\u2028\"", `"\uD834\uDD1E\uFFFE"`, `[[[[[[[[]]]]]]]`, `]`, `}`, `:`, `,`, `"a":1`, `{"a":1]`, `[1}`,
}

var descriptors = []string{
	`{}`, `null`, `[]`, `"x"`, `1`, `true`,
	`{"mediaType":"a","digest":"b","size":3}`,
	`{"mediaType":null,"digest":null,"size":null,"urls":null,"annotations":null,"data":null,"platform":null,"artifactType":null}`,
	`{"MEDIATYPE":"a","Digest":"b","sIze":3,"URLs":["u"],"Annotations":{"k":"v"},"DATA":"YQ==","Platform":{"OS":"linux","Architecture":"amd64","OS.Version":"1","os.Features":["f"],"VARIANT":"v"},"ArtifactType":"t"}`,
	"{\"\u017fize\":5,\"annotation\u017f\":{\"a\":\"b\"},\"art\u0131factType\":\"x\",\"url\u017f\":[\"y\"]}",
	`{"size":9007199254740993}`, `{"size":9223372036854775807}`, `{"size":9223372036854775808}`, `{"size":-9223372036854775808}`, `{"size":-9223372036854775809}`, `{"size":-1}`, `{"size":-0}`, `{"size":1.0}`, `{"size":1e3}`, `{"size":"1"}`, `{"size":true}`, `{"size":[]}`,
	`{"size":100000000000000000000000000000000000000000000000000}`,
	`{"mediaType":1}`, `{"digest":{}}`, `{"urls":"u"}`, `{"urls":{}}`, `{"urls":[1]}`, `{"urls":[null,"a"]}`, `{"urls":[]}`, `{"urls":[""]}`,
	`{"annotations":{}}`, `{"annotations":[]}`, `{"annotations":{"a":1}}`, `{"annotations":{"a":null}}`, `{"annotations":{"b":"1","a":"2","10":"3","9":"4","":"5","__proto__":"6","a":"7"}}`,
	"{\"annotations\":{\"\U0001F600\":\"1\",\"\uffff\":\"2\",\"\xff\":\"3\",\"\\ud800\":\"4\"}}",
	"{\"annotations\":{\"a\":\"<&>\u2028\u2029\x7f\\b\\f\\n\\r\\t\\u0001\\u001f/\\\"\\\\\"}}",
	`{"data":""}`, `{"data":"YQ"}`, `{"data":"YR=="}`, `{"data":"YQ==\n"}`, `{"data":"Y\r\nQ=="}`, `{"data":"YWI="}`, `{"data":"YWJj"}`, `{"data":"Y-_="}`, `{"data":"===="}`, `{"data":"YQ==YQ=="}`, `{"data":[1,2,255]}`, `{"data":[256]}`, `{"data":[-1]}`, `{"data":[null]}`, `{"data":[]}`, `{"data":[1.0]}`, `{"data":{}}`, `{"data":5}`, `{"data":"YQ==="}`, `{"data":" YQ=="}`,
	`{"platform":{}}`, `{"platform":[]}`, `{"platform":{"os.features":[]}}`, `{"platform":{"os.features":[null]}}`, `{"platform":{"architecture":5}}`, `{"platform":{"os":"linux"},"platform":{"architecture":"arm64"}}`, `{"platform":{"os":"linux"},"platform":null}`, `{"platform":{"os":"linux"},"platform":null,"PLATFORM":{"variant":"v8"}}`,
	`{"size":1,"SIZE":2}`, `{"SIZE":1,"size":null}`, `{"annotations":{"a":"1"},"annotations":{"b":"2"}}`, `{"annotations":{"a":"1"},"annotations":null}`, `{"urls":["a","b"],"urls":["c"]}`, `{"urls":["a"],"urls":[null,null]}`, `{"unknown":{"deep":[1,{"a":"b"}]},"size":1}`, `{"unknown":1e999,"size":1}`,
}

var manifests = []string{
	`{}`, `null`, `[]`, `{"schemaVersion":2}`, `{"schemaVersion":9007199254740993}`, `{"schemaVersion":null}`, `{"schemaVersion":"2"}`, `{"schemaVersion":2.0}`, `{"SchemaVersion":3}`,
	`{"layers":null}`, `{"layers":[]}`, `{"layers":[null]}`, `{"layers":[{}]}`, `{"layers":{}}`, `{"layers":"x"}`, `{"layers":[[]]}`,
	`{"config":null}`, `{"config":{}}`, `{"config":[]}`, `{"subject":{}}`, `{"subject":null}`, `{"subject":{"digest":"a"},"subject":{"size":1}}`, `{"mediaType":""}`, `{"mediaType":"x","artifactType":"y","annotations":{"a":"b"}}`,
	`{"layers":[{"size":1,"digest":"a"},{"size":2}],"layers":[{"digest":"b"}]}`, `{"layers":[{"size":1}],"LAYERS":[{"digest":"b"},{"digest":"c"}]}`, `{"layers":[{"size":1}],"layers":null}`,
	`{"config":{"mediaType":"a","size":1},"config":{"digest":"b"}}`, `{"manifests":[{"size":1}]}`, `{"annotations":{"z":"1","a":"2"},"layers":[{"mediaType":"m","digest":"` + sha + `","size":2,"annotations":{"b":"1","a":"2"}}],"config":{"mediaType":"c","digest":"` + sha + `","size":2},"mediaType":"x","schemaVersion":2,"extra":[1,2,3]}`,
}

var documents = []string{
	`{}`, `null`, `[]`, `{"fsLayers":[]}`, `{"fsLayers":null}`, `{"FSLAYERS":[]}`, `{"manifests":[]}`, `{"manifests":null}`, `{"config":{}}`, `{"config":null}`, `{"layers":[]}`, `{"layers":null}`, `{"Layers":null}`,
	`{"mediaType":"` + ocispec.MediaTypeImageIndex + `"}`, `{"mediaType":"` + ocispec.MediaTypeImageManifest + `"}`, `{"mediaType":"` + images.MediaTypeDockerSchema2ManifestList + `"}`, `{"mediaType":"` + images.MediaTypeDockerSchema2Manifest + `"}`,
	`{"mediaType":"x"}`, `{"mediaType":5}`, `{"config":{},"layers":[],"schemaVersion":2}`, `{"manifests":[],"schemaVersion":2}`, `{"config":{},"manifests":[]}`, `{"layers":[{"size":"x"}]}`, `{"manifests":[{"size":"x"}]}`, `{"manifests":5}`,
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "import" {
		importArchive(os.Args[2])
		return
	}
	var vectors []Vector
	add := func(kind, input string) {
		v := Vector{Kind: kind, Input: base64.StdEncoding.EncodeToString([]byte(input))}
		if output, err := convert(kind, input); err == nil {
			encoded := base64.StdEncoding.EncodeToString(output)
			v.Output = &encoded
		}
		vectors = append(vectors, v)
	}
	for _, s := range values {
		add("value", s)
	}
	for _, s := range manifests {
		add("manifest", s)
		add("index", strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(s, "manifests", "_"), "layers", "manifests"), "LAYERS", "Manifests"))
	}
	for _, s := range descriptors {
		add("manifest", `{"config":`+s+`}`)
		add("index", `{"manifests":[`+s+`]}`)
	}
	for _, s := range documents {
		for _, mt := range []string{ocispec.MediaTypeImageManifest, images.MediaTypeDockerSchema2Manifest, ocispec.MediaTypeImageIndex, images.MediaTypeDockerSchema2ManifestList} {
			add("document "+mt, s)
		}
	}
	// Damaged on purpose: one to three bytes deleted, doubled, or replaced by one that JSON cares about.
	random := rand.New(rand.NewSource(1))
	alphabet := "\"\\{}[]:,0e-.untrflas \x00\x1f\x7f\x80\xc3\xe2\xed\xf0\xff"
	seeds := append(append([]string{}, manifests[24:]...), descriptors[8], descriptors[34], descriptors[36], descriptors[37], descriptors[60])
	for i := 0; i < 400; i++ {
		s := []byte(seeds[random.Intn(len(seeds))])
		for n := random.Intn(3); n >= 0 && len(s) > 0; n-- {
			at := random.Intn(len(s))
			switch random.Intn(3) {
			case 0:
				s = append(s[:at:at], s[at+1:]...)
			case 1:
				s = append(s[:at+1:at+1], s[at:]...)
			default:
				s[at] = alphabet[random.Intn(len(alphabet))]
			}
		}
		if bytes.HasPrefix(s, []byte(`{"`)) && i%2 == 0 {
			add("manifest", string(s))
		} else {
			add("value", string(s))
		}
	}
	out := json.NewEncoder(os.Stdout)
	fmt.Println("[")
	for i, v := range vectors {
		if i > 0 {
			fmt.Print(",")
		}
		out.Encode(v)
	}
	fmt.Println("]")
}

func convert(kind, input string) ([]byte, error) {
	switch {
	case kind == "value":
		decoder := json.NewDecoder(strings.NewReader(input))
		decoder.UseNumber()
		if !json.Valid([]byte(input)) {
			return nil, fmt.Errorf("invalid")
		}
		var v any
		if err := decoder.Decode(&v); err != nil {
			return nil, err
		}
		return json.Marshal(v)
	case kind == "manifest":
		var m ocispec.Manifest
		if err := json.Unmarshal([]byte(input), &m); err != nil {
			return nil, err
		}
		return json.Marshal(m)
	case kind == "index":
		var m ocispec.Index
		if err := json.Unmarshal([]byte(input), &m); err != nil {
			return nil, err
		}
		return json.Marshal(m)
	default:
		mt := strings.TrimPrefix(kind, "document ")
		desc := ocispec.Descriptor{MediaType: mt, Digest: digest.FromString(input), Size: int64(len(input))}
		_, err := images.Children(context.Background(), provider(input), desc)
		return []byte{}, err
	}
}

type provider string

func (p provider) ReaderAt(context.Context, ocispec.Descriptor) (content.ReaderAt, error) {
	return reader{strings.NewReader(string(p))}, nil
}

type reader struct{ *strings.Reader }

func (reader) Close() error  { return nil }
func (r reader) Size() int64 { return r.Reader.Size() }

var _ io.ReaderAt = reader{}

// importArchive prints the index that containerd makes of an archive.
func importArchive(path string) {
	file, err := os.Open(path)
	check(err)
	folder, err := os.MkdirTemp("", "import")
	check(err)
	defer os.RemoveAll(folder)
	store, err := local.NewStore(folder)
	check(err)
	desc, err := archive.ImportIndex(context.Background(), store, file)
	check(err)
	index, err := content.ReadBlob(context.Background(), store, desc)
	check(err)
	fmt.Println(string(index))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
